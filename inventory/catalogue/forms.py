"""The forms of the catalogue: what a label says, typed once."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import UUID

from wtforms import HiddenField

from inventory.catalogue import gs1
from inventory.catalogue.models import ContainerType, Product, Route, Substance
from inventory.catalogue.services import Ingredient, ProductDraft
from inventory.catalogue.words import CONTAINER_TYPES, ROUTES
from inventory.clinic.setting_rules import WITNESS_REASONS
from inventory.web.fields import (
    AmountField,
    Between,
    ChoiceField,
    CodeField,
    CountField,
    DoseField,
    LongTextField,
    ManyChoiceField,
    RadioChoiceField,
    Required,
    TextField,
    TickField,
    VolumeField,
)
from inventory.web.forms import ClinicForm, FilterForm
from inventory.web.typed_text import without_unseen

INGREDIENTS = (1, 2, 3)


class ScanField(CodeField):
    """What a scanner sends or a person types of a barcode. It is read by `gs1.read_scan`, which says what is wrong with it."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Keep the text so that it can be shown; a text too long stays too long."""
        self.data = gs1.shown(str(valuelist[0]))[: gs1.SCAN_LIMIT + 1] if valuelist else ""

    def _value(self) -> str:
        return without_unseen(str(self.data or ""), is_code=True)


class SoughtField(TextField):
    """Words to look for, or a scan instead."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take a scan as `ScanField` does. Raises NotAcceptedError as a text."""
        super().process_formdata([gs1.shown(str(text)) for text in valuelist])


class ProductFilter(FilterForm):
    """Which products to show."""

    q = TextField("Name, maker, GTIN or NDC", limit=80)
    formulation = ChoiceField("Formulation", blank="All formulations")
    retired = ChoiceField("Status", choices=[("retired", "Retired")], blank="In use")


class ProductForm(ClinicForm):
    """Everything a label says of a product."""

    version = HiddenField()
    formulation = ChoiceField(
        "Formulation", [Required("Choose the formulation.")], blank="Choose a formulation"
    )
    name = TextField("Name", [Required("Type the name on the label.")])
    maker = TextField("Maker")
    strength = DoseField("Strength", [Required("Type the amount on the label.")])
    strength_per = VolumeField("In", [Required("Type the volume it is in.")], default=1_000)
    container_type = RadioChoiceField(
        "Container",
        [Required("Choose what the label says.")],
        choices=[(kind.value, words) for kind, words in CONTAINER_TYPES.items()],
    )
    container_kind = TextField("Kind of container", [Required()], limit=40, default="vial")
    container_volume = VolumeField("Volume of one", [Required("Type the volume of one container.")])
    pack_size = CountField("Containers in a pack", [Required(), Between(1, 10_000)], default=1)
    routes = ManyChoiceField(
        "Routes on the label",
        [Required("Choose every route on the label.")],
        choices=[(route.value, words) for route, words in ROUTES.items()],
    )
    in_use_days = CountField("Days in use, once opened", [Required(), Between(1, 3_650)], default=28)
    default_dose = DoseField("Usual dose")
    overfill_limit = VolumeField("Overfill that may be found")
    dead_space = VolumeField("Lost in the syringe each time")
    own_witness_rule = TickField("Waste of it has its own rule for a witness")
    witness_reasons = ManyChoiceField("Waste of it that needs a witness", choices=WITNESS_REASONS.items())
    gtin = CodeField("GTIN", limit=14)
    ndc10 = CodeField("NDC, ten digits", limit=12)
    ndc11 = CodeField("NDC, eleven digits", limit=14)
    preservative = TextField("Preservative")
    has_benzyl_alcohol = TickField("Contains benzyl alcohol")
    contains_aluminium = TickField("Contains aluminium")
    storage_min = AmountField("Keep from", [Between(Decimal(-100), Decimal(100))], places=1)
    storage_max = AmountField("Keep up to", [Between(Decimal(-100), Decimal(100))], places=1)
    protect_from_light = TickField("Protect from light")
    substance_1 = ChoiceField("Further ingredient", blank="None")
    amount_1 = DoseField("Amount")
    per_1 = VolumeField("In")
    substance_2 = ChoiceField("Second further ingredient", blank="None")
    amount_2 = DoseField("Amount of the second")
    per_2 = VolumeField("In (second)")
    substance_3 = ChoiceField("Third further ingredient", blank="None")
    amount_3 = DoseField("Amount of the third")
    per_3 = VolumeField("In (third)")
    notes = LongTextField("Notes")

    def offer(self, formulations: Iterable[Any], substances: Iterable[Substance]) -> None:
        """Offer the formulations and the substances of the catalogue."""
        self.formulation.offer((f.id, f.name) for f in formulations)
        named = [(s.id, s.name) for s in substances]
        for n in INGREDIENTS:
            self[f"substance_{n}"].offer(named)

    def validate(self, extra_validators: Any = None) -> bool:
        """An ingredient that is chosen needs its amount and volume."""
        good = super().validate(extra_validators)
        for n in INGREDIENTS:
            if self[f"substance_{n}"].data and not (self[f"amount_{n}"].data and self[f"per_{n}"].data):
                self.add_error(f"amount_{n}", "FIELD-REQUIRED", "Type how much of it is in what volume.")
                good = False
        return bool(good)

    @property
    def read_version(self) -> int:
        """The version that was read; -1 for anything that is none."""
        text = str(self.version.data or "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1

    def draft(self) -> ProductDraft:
        """Return what was typed as a draft."""
        return ProductDraft(
            formulation_id=UUID(str(self.formulation.data)),
            name=str(self.name.data),
            maker=str(self.maker.data),
            container_type=ContainerType(str(self.container_type.data)),
            container_kind=str(self.container_kind.data or "vial"),
            strength_ng=self.strength.data,
            strength_ul=self.strength_per.data,
            container_volume_ul=self.container_volume.data,
            pack_size=self.pack_size.data,
            routes=frozenset(Route(code) for code in self.routes.data or []),
            gtin=str(self.gtin.data) or None,
            ndc10=str(self.ndc10.data) or None,
            ndc11=str(self.ndc11.data) or None,
            in_use_days=self.in_use_days.data,
            preservative=str(self.preservative.data),
            has_benzyl_alcohol=bool(self.has_benzyl_alcohol.data),
            contains_aluminium=bool(self.contains_aluminium.data),
            storage_min_decicelsius=_tenths(self.storage_min.data),
            storage_max_decicelsius=_tenths(self.storage_max.data),
            protect_from_light=bool(self.protect_from_light.data),
            default_dose_ng=self.default_dose.data or None,
            overfill_limit_ul=self.overfill_limit.data or 0,
            dead_space_ul=self.dead_space.data or 0,
            waste_witness_reasons=self._witness_reasons(),
            notes=str(self.notes.data),
            ingredients=self._ingredients(),
        )

    def _witness_reasons(self) -> frozenset[str] | None:
        return frozenset(self.witness_reasons.data or []) if self.own_witness_rule.data else None

    def _ingredients(self) -> tuple[Ingredient, ...]:
        return tuple(
            Ingredient(
                UUID(str(self[f"substance_{n}"].data)), self[f"amount_{n}"].data, self[f"per_{n}"].data
            )
            for n in INGREDIENTS
            if self[f"substance_{n}"].data
        )


def typed_of(product: Product) -> dict[str, Any]:
    """Return a product as its form would hold it."""
    own = {
        name: getattr(product, name)
        for name in [
            "name",
            "maker",
            "container_type",
            "container_kind",
            "pack_size",
            "in_use_days",
            "gtin",
            "ndc10",
            "ndc11",
            "preservative",
            "has_benzyl_alcohol",
            "contains_aluminium",
            "protect_from_light",
            "notes",
            "version",
        ]
    }
    own |= {
        "formulation": str(product.formulation_id),
        "strength": product.strength_ng,
        "strength_per": product.strength_ul,
        "container_volume": product.container_volume_ul,
        "routes": [route.value for route in product.route_set],
        "default_dose": product.default_dose_ng,
        "overfill_limit": product.overfill_limit_ul or None,
        "dead_space": product.dead_space_ul or None,
        "own_witness_rule": product.witness_reasons is not None,
        "witness_reasons": sorted(product.witness_reasons or ()),
        "storage_min": _degrees(product.storage_min_decicelsius),
        "storage_max": _degrees(product.storage_max_decicelsius),
    }
    for n, part in zip(INGREDIENTS, product.ingredients, strict=False):
        own |= {f"substance_{n}": str(part.substance_id), f"amount_{n}": part.strength_ng}
        own[f"per_{n}"] = part.strength_ul
    return own


class FormulationForm(ClinicForm):
    """A formulation, and whether this clinic uses it."""

    name = TextField("Name", [Required("Type the name.")], limit=120)
    lebers_caution = TickField("Must not be given with Leber's optic atrophy")
    refused = TickField("This clinic does not use it")


class NewFormulationForm(FormulationForm):
    """A formulation with its substance, which may be new."""

    substance = ChoiceField("Substance", blank="A new one, typed below")
    new_substance = TextField("New substance", limit=120)
    is_cobalamin = TickField("The new substance is a cobalamin (vitamin B12)")


class SupplierForm(ClinicForm):
    """A supplier's name."""

    name = TextField("Name", [Required("Type the name.")])


def _tenths(degrees: Decimal | None) -> int | None:
    return None if degrees is None else int(degrees * 10)


def _degrees(tenths: int | None) -> Decimal | None:
    return None if tenths is None else Decimal(tenths) / 10
