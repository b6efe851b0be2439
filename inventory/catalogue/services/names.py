"""Substances, formulations and suppliers: little more than names, each once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from inventory.audit.acts import Act, Outcome, perform
from inventory.catalogue.models import Formulation, Substance, Supplier
from inventory.kernel.errors import Refusal, not_found
from inventory.kernel.ids import uuid7
from inventory.kernel.laws import means
from inventory.kernel.permissions import Actor

means(
    Refusal("SUBSTANCE-NAME-TAKEN", "There is a substance of this name already.", "name"),
    constraint="uq_substance_name",
    columns="substance.name",
)
means(
    Refusal("FORMULATION-NAME-TAKEN", "There is a formulation of this name already.", "name"),
    constraint="uq_formulation_name",
    columns="formulation.name",
)
means(
    Refusal("SUPPLIER-NAME-TAKEN", "There is a supplier of this name already.", "name"),
    constraint="uq_supplier_name",
    columns="supplier.name",
)


def add_substance(
    *, actor: Actor, at: datetime, request_key: str | None = None, name: str, is_cobalamin: bool = False
) -> Outcome:
    """Add an active substance. Raises Refusal SUBSTANCE-NAME-TAKEN."""

    def write(act: Act) -> Outcome:
        row_id = _insert_substance(act, name, is_cobalamin)
        return Outcome("substance", row_id)

    return perform(write, actor=actor, at=at, request_key=request_key)


def add_formulation(
    *,
    actor: Actor,
    at: datetime,
    request_key: str | None = None,
    name: str,
    substance_id: UUID | None = None,
    new_substance: str = "",
    is_cobalamin: bool = True,
    lebers_caution: bool = False,
    refused: bool = False,
) -> Outcome:
    """Add a formulation of a substance, which may be new too.

    Raises Refusal FORMULATION-NAME-TAKEN, SUBSTANCE-NAME-TAKEN, SUBSTANCE-NEEDED.
    """

    def write(act: Act) -> Outcome:
        of_id = _insert_substance(act, new_substance, is_cobalamin) if new_substance.strip() else substance_id
        if of_id is None or act.session.get(Substance, of_id) is None:
            raise Refusal("SUBSTANCE-NEEDED", "Choose the substance, or type a new one.", "substance")
        row = Formulation(
            id=uuid7(),
            substance_id=of_id,
            name=name.strip(),
            lebers_caution=lebers_caution,
            refused=refused,
        )
        act.session.add(row)
        facts = {"name": row.name, "substance_id": of_id, **_rules_of(row)}
        return act.record("catalogue.add-formulation", "formulation", row.id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def edit_formulation(
    *,
    actor: Actor,
    at: datetime,
    request_key: str | None = None,
    formulation_id: UUID,
    name: str,
    lebers_caution: bool,
    refused: bool,
) -> Outcome:
    """Rename a formulation, mark it for Leber's, or refuse to use it. Raises Refusal FORMULATION-NAME-TAKEN."""

    def write(act: Act) -> Outcome:
        row = act.session.scalar(
            select(Formulation).where(Formulation.id == formulation_id).with_for_update(key_share=True)
        )
        if row is None:
            raise not_found("formulation")
        before = {"name": row.name, **_rules_of(row)}
        row.name, row.lebers_caution, row.refused = name.strip(), lebers_caution, refused
        facts = changed(before, {"name": row.name, **_rules_of(row)})
        return act.record("catalogue.edit-formulation", "formulation", row.id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def add_supplier(*, actor: Actor, at: datetime, request_key: str | None = None, name: str) -> Outcome:
    """Add a supplier. Raises Refusal SUPPLIER-NAME-TAKEN, whatever the case of the letters."""

    def write(act: Act) -> Outcome:
        if _supplier_named(act, name) is not None:
            raise Refusal("SUPPLIER-NAME-TAKEN", "There is a supplier of this name already.", "name")
        row_id = _insert_supplier(act, name)
        return act.record("catalogue.add-supplier", "supplier", row_id, facts={"name": name.strip()})

    return perform(write, actor=actor, at=at, request_key=request_key)


def rename_supplier(
    *, actor: Actor, at: datetime, request_key: str | None = None, supplier_id: UUID, name: str
) -> Outcome:
    """Correct a supplier's name. Raises Refusal SUPPLIER-NAME-TAKEN."""

    def write(act: Act) -> Outcome:
        row = act.session.get(Supplier, supplier_id)
        if row is None:
            raise not_found("supplier")
        if _supplier_named(act, name) not in (None, supplier_id):
            raise Refusal("SUPPLIER-NAME-TAKEN", "There is a supplier of this name already.", "name")
        before, row.name = row.name, name.strip()
        facts = changed({"name": before}, {"name": row.name})
        return act.record("catalogue.rename-supplier", "supplier", row.id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def new_supplier(act: Act, name: str) -> UUID:
    """Inside an act: return the supplier of this name, added with an entry of its own where there was none."""
    found = _supplier_named(act, name)
    if found is not None:
        return found
    row_id = _insert_supplier(act, name)
    act.record("catalogue.add-supplier", "supplier", row_id, facts={"name": name.strip()})
    return row_id


def changed(before: dict[str, object], after: dict[str, object]) -> dict[str, dict[str, object]]:
    """Return what differs, as the trail tells of an edit."""
    names = [name for name in after if before[name] != after[name]]
    return {"before": {n: before[n] for n in names}, "after": {n: after[n] for n in names}}


def _insert_substance(act: Act, name: str, is_cobalamin: bool) -> UUID:  # noqa: FBT001  a fact, not a switch
    row = Substance(id=uuid7(), name=name.strip(), is_cobalamin=is_cobalamin)
    act.session.add(row)
    act.session.flush()
    facts = {"name": row.name, "is_cobalamin": is_cobalamin}
    act.record("catalogue.add-substance", "substance", row.id, facts=facts)
    return row.id


def _rules_of(row: Formulation) -> dict[str, object]:
    return {"lebers_caution": row.lebers_caution, "refused": row.refused}


def _supplier_named(act: Act, name: str) -> UUID | None:
    return act.session.scalar(select(Supplier.id).where(func.lower(Supplier.name) == name.strip().lower()))


def _insert_supplier(act: Act, name: str) -> UUID:
    row = Supplier(id=uuid7(), name=name.strip())
    act.session.add(row)
    act.session.flush()
    return row.id
