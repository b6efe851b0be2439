"""The catalogue's closed sets in words."""

from inventory.catalogue.models import ContainerType, Route

CONTAINER_TYPES = {
    ContainerType.SINGLE_DOSE: "Single-dose",
    ContainerType.MULTI_DOSE: "Multi-dose",
}
ROUTES = {Route.IM: "Intramuscular (IM)", Route.SC: "Subcutaneous (SC)", Route.IV: "Intravenous (IV)"}
