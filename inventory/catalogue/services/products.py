"""Products and their versions. What a product is (strength, volume, container) freezes with its first lot (law 9)."""

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from inventory.audit.acts import Act, Outcome, perform
from inventory.catalogue import rules
from inventory.catalogue.models import ContainerType, Formulation, Product, ProductIngredient, Route
from inventory.catalogue.services.names import changed
from inventory.clinic.setting_rules import WITNESS_REASONS
from inventory.kernel.errors import Refusal, Refusals, not_found
from inventory.kernel.ids import uuid7
from inventory.kernel.laws import means
from inventory.kernel.permissions import Actor

means(
    Refusal("PRODUCT-NAME-TAKEN", "This maker has a product of this name already.", "name"),
    constraint="uq_product_name_maker_version_number",
    columns="product.name, product.maker, product.version_number",
)


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A further active ingredient, by the label's ratio."""

    substance_id: UUID
    strength_ng: int
    strength_ul: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductDraft:
    """Everything a label says of a product, and how the clinic handles it.

    Amounts in nanograms and microlitres, temperatures in tenths of a degree. `dead_space_ul` is what a syringe keeps of a
    multi-dose vial each time; `waste_witness_reasons` None asks for a witness of waste where the clinic's settings do.
    """

    formulation_id: UUID
    name: str
    maker: str = ""
    container_type: ContainerType
    container_kind: str = "vial"
    strength_ng: int
    strength_ul: int
    container_volume_ul: int
    pack_size: int = 1
    routes: frozenset[Route] = frozenset({Route.IM})
    gtin: str | None = None
    ndc10: str | None = None
    ndc11: str | None = None
    in_use_days: int = 28
    preservative: str = ""
    has_benzyl_alcohol: bool = False
    contains_aluminium: bool = False
    storage_min_decicelsius: int | None = None
    storage_max_decicelsius: int | None = None
    protect_from_light: bool = False
    default_dose_ng: int | None = None
    overfill_limit_ul: int = 0
    dead_space_ul: int = 0
    waste_witness_reasons: frozenset[str] | None = None
    notes: str = ""
    ingredients: tuple[Ingredient, ...] = ()


def add_product(
    *, actor: Actor, at: datetime, request_key: str | None = None, draft: ProductDraft
) -> Outcome:
    """Add a product. Raises Refusals (see `refuse_wrong_label`), Refusal PRODUCT-NAME-TAKEN."""

    def write(act: Act) -> Outcome:
        refuse_wrong_label(act.session, draft)
        row = _insert(act, draft, version_number=1)
        return act.record("catalogue.add-product", "product", row.id, facts=_facts(row))

    return perform(write, actor=actor, at=at, request_key=request_key)


def edit_product(
    *,
    actor: Actor,
    at: datetime,
    request_key: str | None = None,
    product_id: UUID,
    version: int,
    draft: ProductDraft,
) -> Outcome:
    """Change a product that was read at `version`.

    Raises Refusal EDITED-MEANWHILE, PRODUCT-FROZEN (through the database, once it has a lot), Refusals as `add_product`.
    """

    def write(act: Act) -> Outcome:
        row = _locked(act.session, product_id)
        if row.version != version:
            raise Refusal(
                "EDITED-MEANWHILE", "Somebody changed this product meanwhile. Load the page again and repeat."
            )
        refuse_wrong_label(act.session, draft)
        before = _facts(row)
        _fill(row, draft)
        return act.record("catalogue.edit-product", "product", row.id, facts=changed(before, _facts(row)))

    return perform(write, actor=actor, at=at, request_key=request_key)


def new_product_version(
    *, actor: Actor, at: datetime, request_key: str | None = None, product_id: UUID, draft: ProductDraft
) -> Outcome:
    """Add the next version of a product and retire the one before: its lots stay, no more of it is received.

    Raises Refusal PRODUCT-REPLACED when there is a newer version already, Refusals as `add_product`.
    """

    def write(act: Act) -> Outcome:
        old = _locked(act.session, product_id)
        if act.session.scalar(select(Product.id).where(Product.replaces_id == old.id)):
            raise Refusal(
                "PRODUCT-REPLACED", "There is a newer version of this product already. Start from that one."
            )
        refuse_wrong_label(act.session, draft)
        old.retired_at = old.retired_at or act.recorded_at
        row = _insert(act, draft, version_number=old.version_number + 1, replaces_id=old.id)
        facts = {**_facts(row), "replaces_id": old.id, "version_number": row.version_number}
        return act.record("catalogue.new-product-version", "product", row.id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def retire_product(
    *, actor: Actor, at: datetime, request_key: str | None = None, product_id: UUID
) -> Outcome:
    """Receive no more of a product; what is in stock may still be used."""
    return _set_retired(actor, at, request_key, product_id=product_id, retired=True)


def restore_product(
    *, actor: Actor, at: datetime, request_key: str | None = None, product_id: UUID
) -> Outcome:
    """Receive a retired product again. Raises Refusal PRODUCT-REPLACED when a newer version stands in its place."""
    return _set_retired(actor, at, request_key, product_id=product_id, retired=False)


def refuse_wrong_label(session: Session, draft: ProductDraft) -> None:
    """Raise Refusals with everything in `draft` that no label can say.

    NOT-FOUND (formulation), GTIN-INVALID, GTIN-CHECK-DIGIT, NDC-INVALID, ROUTE-MISSING, STRENGTH-INVALID, STORAGE-INVALID,
    DOSE-ABOVE-CONTAINER, DEAD-SPACE-RANGE, CHOICE-INVALID (witness reasons), INGREDIENT-TWICE.
    """
    wrong = [*_wrong_codes(draft), *_wrong_amounts(draft)]
    if session.get(Formulation, draft.formulation_id) is None:
        wrong.append(Refusal("NOT-FOUND", "Choose a formulation of the catalogue.", "formulation"))
    if not (draft.waste_witness_reasons or frozenset()) <= WITNESS_REASONS.keys():
        wrong.append(Refusal("CHOICE-INVALID", "Choose from the answers offered here.", "witness_reasons"))
    if not draft.routes:
        wrong.append(Refusal("ROUTE-MISSING", "Choose every route on the label, at least one.", "routes"))
    if wrong:
        raise Refusals(wrong)


def _wrong_codes(draft: ProductDraft) -> list[Refusal]:
    wrong = []
    if draft.gtin and not rules.is_gtin(draft.gtin):
        wrong.append(Refusal("GTIN-INVALID", "A GTIN has 8, 12, 13 or 14 digits and nothing else.", "gtin"))
    elif draft.gtin and not rules.has_gtin_check_digit(draft.gtin):
        said = "The last digit does not check. Read the number again from the pack."
        wrong.append(Refusal("GTIN-CHECK-DIGIT", said, "gtin"))
    if draft.ndc10 and not rules.is_ndc10(draft.ndc10):
        said = "A ten-digit NDC is written 4-4-2, 5-3-2 or 5-4-1, as in 0143-9621-25."
        wrong.append(Refusal("NDC-INVALID", said, "ndc10"))
    if draft.ndc11 and not rules.is_ndc11(draft.ndc11):
        said = "An eleven-digit NDC is written 5-4-2, as in 00143-9621-25."
        wrong.append(Refusal("NDC-INVALID", said, "ndc11"))
    return wrong


def _wrong_amounts(draft: ProductDraft) -> list[Refusal]:
    wrong = []
    if min(draft.strength_ng, draft.strength_ul, draft.container_volume_ul) <= 0:
        wrong.append(Refusal("STRENGTH-INVALID", "Strength and volume must be more than 0.", "strength"))
    elif (
        # Several single-dose ampoules may make one dose; remainders of multi-dose vials are never combined.
        draft.container_type is ContainerType.MULTI_DOSE
        and draft.default_dose_ng is not None
        and draft.default_dose_ng * draft.strength_ul > draft.strength_ng * draft.container_volume_ul
    ):
        said = "One container does not hold this dose. Check the dose, the strength and the volume."
        wrong.append(Refusal("DOSE-ABOVE-CONTAINER", said, "default_dose"))
    if not 0 <= draft.dead_space_ul < max(draft.container_volume_ul, 1):
        said = "A syringe loses less than a container holds. Check the volume."
        wrong.append(Refusal("DEAD-SPACE-RANGE", said, "dead_space"))
    low, high = draft.storage_min_decicelsius, draft.storage_max_decicelsius
    if low is not None and high is not None and low > high:
        wrong.append(Refusal("STORAGE-INVALID", "The lower limit is above the upper one.", "storage_min"))
    substances = [ingredient.substance_id for ingredient in draft.ingredients]
    if len(set(substances)) < len(substances):
        wrong.append(Refusal("INGREDIENT-TWICE", "Name each further ingredient once.", "ingredients"))
    return wrong


def _set_retired(
    actor: Actor, at: datetime, request_key: str | None, *, product_id: UUID, retired: bool
) -> Outcome:
    def write(act: Act) -> Outcome:
        row = _locked(act.session, product_id)
        if not retired and act.session.scalar(select(Product.id).where(Product.replaces_id == row.id)):
            raise Refusal("PRODUCT-REPLACED", "A newer version stands in its place. Receive that one.")
        row.retired_at = act.recorded_at if retired else None
        verb = "retire" if retired else "restore"
        return act.record(f"catalogue.{verb}-product", "product", row.id, facts={"name": row.name})

    return perform(write, actor=actor, at=at, request_key=request_key)


def _locked(session: Session, product_id: UUID) -> Product:
    row = session.scalar(
        select(Product)
        .where(Product.id == product_id)
        .options(selectinload(Product.ingredients))
        .with_for_update(key_share=True)
    )
    if row is None:
        raise not_found("product")
    return row


def _insert(
    act: Act, draft: ProductDraft, *, version_number: int, replaces_id: UUID | None = None
) -> Product:
    row = Product(
        id=uuid7(),
        version_number=version_number,
        replaces_id=replaces_id,
        created_at=act.recorded_at,
        created_by_id=act.actor.id,
        ingredients=[],
    )
    _fill(row, draft)
    act.session.add(row)
    return row


def _fill(row: Product, draft: ProductDraft) -> None:
    for name, value in asdict(draft).items():
        if name not in {"ingredients", "routes", "gtin", "waste_witness_reasons"}:
            setattr(row, name, value)
    row.waste_witness_reasons = _written_reasons(draft.waste_witness_reasons)
    row.routes = ",".join(route for route in Route if route in draft.routes)
    row.gtin = rules.gtin14(draft.gtin) if draft.gtin else None
    _fill_ingredients(row, draft.ingredients)


def _written_reasons(reasons: frozenset[str] | None) -> str | None:
    return None if reasons is None else ",".join(code for code in WITNESS_REASONS if code in reasons)


def _fill_ingredients(row: Product, wanted: tuple[Ingredient, ...]) -> None:
    """Change in place what stays, so that no row is deleted and added again under the same key."""
    present = {part.substance_id: part for part in row.ingredients}
    row.ingredients = [
        present.get(one.substance_id) or ProductIngredient(substance_id=one.substance_id) for one in wanted
    ]
    for part, one in zip(row.ingredients, wanted, strict=True):
        part.strength_ng, part.strength_ul = one.strength_ng, one.strength_ul


def _facts(row: Product) -> dict[str, object]:
    names = [name for name in ProductDraft.__slots__ if name != "ingredients"]
    parts = [
        {"substance_id": p.substance_id, "strength_ng": p.strength_ng, "strength_ul": p.strength_ul}
        for p in row.ingredients
    ]
    return {**{name: getattr(row, name) for name in names}, "ingredients": parts}
