"""What the demo clinic stocks. Names, strengths and packs are of real labels; whatever a label leaves open is invented here.

Where a source says "check the label" for how often a container may be entered, the demo decides for one dose: the cautious
answer, and no statement about the real product.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from inventory.catalogue.models import ContainerType, Route

SINGLE, MULTI = ContainerType.SINGLE_DOSE, ContainerType.MULTI_DOSE
MCG = 1_000
ML = 1_000
IM = frozenset({Route.IM})
CABINET, FRIDGE, FRIDGE_2 = "Cabinet A", "Fridge 1", "Fridge 2"
NORTH_CABINET, NORTH_FRIDGE = "Northgate cabinet", "Northgate fridge"
FRIDGE_LIMITS = {"storage_min_decicelsius": 20, "storage_max_decicelsius": 80}
PRICES = {
    "hydroxo-1": 95, "cyano-10": 1_240, "cyano-1": 410, "methycobal": 280, "hydrovit": 350, "hydroxo-30": 2_890,
    "vita-b12": 400, "regent-1": 430, "cobalin": 110, "methyl-2": 890, "methyl-30": 3_400, "kit": 69_500,
}  # fmt: skip
"""What a container costs, in pence: invented."""

FORMULATIONS: dict[str, dict[str, Any]] = {
    # The substance, and whether its labels warn of Leber's optic atrophy.
    "Cyanocobalamin": {"substance": "cyanocobalamin", "lebers_caution": True},
    "Hydroxocobalamin": {"substance": "hydroxocobalamin", "lebers_caution": False},
    "Methylcobalamin": {"substance": "mecobalamin", "lebers_caution": True},
}
SUPPLIERS = ("Northmoor Medical Wholesale", "Alder Pharma Logistics", "St Brigid Compounding Pharmacy")


@dataclass(frozen=True, slots=True)
class Article:
    """A product of the demo: its label, where it lies, the dose that is usual here, and how many of a hundred doses it serves.

    Of a hundred of its doses, `doubled` are twice the usual, drawn from twice the containers.
    """

    key: str
    formulation: str
    name: str
    maker: str
    container_type: ContainerType
    strength_mcg_per_ml: int
    container_ml: int
    pack_size: int
    dose_mcg: int = 0
    share: int = 0
    doubled: int = 0
    location: str = CABINET
    label: dict[str, Any] = field(default_factory=dict)

    @property
    def is_multi(self) -> bool:
        """Whether a container serves several patients."""
        return self.container_type is MULTI

    @property
    def volume_ul(self) -> int:
        """The volume of the usual dose, in microlitres."""
        return self.dose_mcg * ML // self.strength_mcg_per_ml

    @property
    def content_ul(self) -> int:
        """What one container holds, in microlitres."""
        return self.container_ml * ML

    @property
    def dead_space_ul(self) -> int:
        """What a syringe keeps of each dose, in microlitres."""
        return int(self.label.get("dead_space_ul", 0))

    @property
    def most_containers(self) -> int:
        """How many containers are opened for one dose at most."""
        return 2 if self.doubled else 1


def _article(key: str, formulation: str, name: str, maker: str, *amounts: Any, **more: Any) -> Article:
    container_type, strength, volume, pack = amounts
    names = ("dose_mcg", "share", "doubled", "location")
    own = {name: more.pop(name) for name in names if name in more}
    return Article(
        key,
        formulation,
        name,
        maker,
        container_type,
        strength,
        volume,
        pack,
        label={"routes": IM, **more},
        **own,
    )


ARTICLES: tuple[Article, ...] = (
    _article(
        "hydroxo-1", "Hydroxocobalamin", "Hydroxocobalamin 1 mg/mL ampoule", "Generic UK", SINGLE, 1_000, 1, 5,
        dose_mcg=1_000, share=48, container_kind="ampoule", storage_max_decicelsius=250,
    ),
    _article(
        "cyano-10", "Cyanocobalamin", "Cyanocobalamin 1,000 mcg/mL, 10 mL vial", "Hikma", MULTI, 1_000, 10, 10,
        dose_mcg=1_000, share=20, ndc10="0143-9620-10", ndc11="00143-9620-10", gtin="00301439620105",
        preservative="benzyl alcohol 1.5%", has_benzyl_alcohol=True, overfill_limit_ul=500,
    ),
    _article(
        "cyano-1", "Cyanocobalamin", "Cyanocobalamin 1,000 mcg/mL, 1 mL vial", "Hikma", SINGLE, 1_000, 1, 25,
        dose_mcg=1_000, share=12, ndc10="0143-9621-25", ndc11="00143-9621-25", gtin="00301439621256",
    ),
    _article(
        "methycobal", "Methylcobalamin", "Methycobal 500 mcg/mL ampoule", "Eisai", SINGLE, 500, 1, 10,
        dose_mcg=500, share=8, doubled=40, location=FRIDGE, container_kind="amber ampoule", protect_from_light=True,
        routes=frozenset({Route.IM, Route.IV}),
    ),
    _article(
        "hydrovit", "Hydroxocobalamin", "Hydrovit B12 Depot 500 mcg/mL ampoule", "Borg", SINGLE, 500, 1, 3,
        dose_mcg=500, share=6, container_kind="ampoule", preservative="benzyl alcohol", has_benzyl_alcohol=True,
        routes=frozenset({Route.IM, Route.IV, Route.SC}), storage_max_decicelsius=300,
    ),
    _article(
        "hydroxo-30", "Hydroxocobalamin", "Hydroxocobalamin 1,000 mcg/mL, 30 mL vial", "Actavis", MULTI, 1_000, 30, 1,
        dose_mcg=1_000, share=6, ndc10="0591-2888-30", ndc11="00591-2888-30", gtin="00305912888303",
        preservative="methylparaben 1.5 mg and propylparaben 0.2 mg per mL", protect_from_light=True,
        storage_min_decicelsius=200, storage_max_decicelsius=250, dead_space_ul=50,
    ),
    _article(
        "vita-b12", "Hydroxocobalamin", "Vita-B12 1 mg/mL ampoule", "Vitamin B12 AU", SINGLE, 1_000, 1, 3,
        dose_mcg=1_000, container_kind="ampoule", protect_from_light=True, storage_max_decicelsius=250,
    ),
    _article(
        "regent-1", "Cyanocobalamin", "Cyanocobalamin 1,000 mcg/mL, 1 mL vial", "American Regent", SINGLE, 1_000, 1, 25,
        dose_mcg=1_000, ndc10="0517-0031-25", ndc11="00517-0031-25", gtin="00305170031251",
    ),
    _article(
        "cobalin", "Hydroxocobalamin", "Cobalin-H 1 mg/mL ampoule", "Advanz", SINGLE, 1_000, 1, 5,
        dose_mcg=1_000, container_kind="ampoule",
    ),
    _article(
        "methyl-2", "Methylcobalamin", "Methylcobalamin 10 mg in 2 mL", "Biological Therapies", SINGLE, 5_000, 2, 10,
        dose_mcg=5_000, location=FRIDGE_2, protect_from_light=True, **FRIDGE_LIMITS,
    ),
    _article(
        "methyl-30", "Methylcobalamin", "Methylcobalamin 1,000 mcg/mL, 30 mL (compounded)", "St Brigid Compounding",
        MULTI, 1_000, 30, 1, dose_mcg=1_000, location=FRIDGE_2, **FRIDGE_LIMITS,
        notes="Compounded: the pharmacy's beyond-use date is its expiry.",
    ),
    _article(
        "kit", "Hydroxocobalamin", "Hydroxocobalamin 5 g kit, for infusion", "Antidote", SINGLE, 25_000, 200, 1,
        routes=frozenset({Route.IV}), container_kind="kit", notes="For cyanide poisoning, intravenous only.",
    ),
)  # fmt: skip


def used() -> Iterable[Article]:
    """Return the articles that doses are given of."""
    return (article for article in ARTICLES if article.share)


def by_key(key: str) -> Article:
    """Return the article of this key."""
    return next(article for article in ARTICLES if article.key == key)
