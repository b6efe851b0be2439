"""Every read of the catalogue."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from inventory.catalogue import rules
from inventory.catalogue.models import Formulation, Product, ProductIngredient, Substance, Supplier
from inventory.kernel.errors import not_found
from inventory.web.pagination import Page, paginate


def product_by_id(session: Session, product_id: UUID) -> Product:
    """Return the product with its formulation, substance and ingredients. Raises Refusal NOT-FOUND."""
    product = session.scalar(
        select(Product)
        .where(Product.id == product_id)
        .options(
            joinedload(Product.formulation).joinedload(Formulation.substance),
            selectinload(Product.ingredients).joinedload(ProductIngredient.substance),
        )
    )
    if product is None:
        raise not_found("product")
    return product


def products_page(
    session: Session,
    *,
    words: str = "",
    retired: bool = False,
    formulation_id: UUID | None = None,
    cursor: str = "",
) -> Page[Product]:
    """Return a page of products by name, with their formulation: those in use, or those retired."""
    statement = _with_formulation().where(
        Product.retired_at.is_not(None) if retired else Product.retired_at.is_(None)
    )
    if formulation_id:
        statement = statement.where(Product.formulation_id == formulation_id)
    if words:
        lowered = words.lower()
        statement = statement.where(
            or_(
                func.lower(Product.name).contains(lowered, autoescape=True),
                func.lower(Product.maker).contains(lowered, autoescape=True),
                Product.gtin.contains(words, autoescape=True),
                Product.ndc10.contains(words, autoescape=True),
                Product.ndc11.contains(words, autoescape=True),
            )
        )
    return paginate(session, statement, order=[Product.name, Product.id], cursor=cursor)


def receivable_products(session: Session) -> Sequence[Product]:
    """Return the products that may be received, by name."""
    return session.scalars(
        _with_formulation()
        .where(Product.retired_at.is_(None))
        .order_by(Formulation.name, Product.name, Product.id)
    ).all()


def products_of_gtin(session: Session, gtin: str) -> list[Product]:
    """Return the products that a pack with this GTIN of 14 digits may be, by name, each in its newest version.

    Found by the GTIN as it is recorded; where none has it, by the NDC that the GTIN is made of. Retired ones are returned
    only where every one of them is retired.
    """
    found = session.scalars(select(Product).where(Product.gtin == gtin)).all()
    ndc10 = rules.ndc10_in(gtin)
    if not found and ndc10:
        found = session.scalars(select(Product).where(func.replace(Product.ndc10, "-", "") == ndc10)).all()
    newest = {product.id: product for product in (_newest(session, one) for one in found)}
    ordered = sorted(newest.values(), key=lambda product: (product.name, product.id))
    return [product for product in ordered if product.retired_at is None] or ordered


def newer_version_of(session: Session, product_id: UUID) -> Product | None:
    """Return the version that replaces a product, if there is one."""
    return session.scalar(select(Product).where(Product.replaces_id == product_id))


def versions_of(session: Session, product: Product) -> list[Product]:
    """Return every version of a product, the first first, each with its formulation and ingredients."""
    first = product.id
    while (before := _replaced_by(session, first)) is not None:
        first = before
    chain: list[Product] = []
    one: UUID | None = first
    while one is not None:
        chain.append(product_by_id(session, one))
        newer = newer_version_of(session, one)
        one = newer.id if newer else None
    return chain


def formulations(session: Session) -> Sequence[Formulation]:
    """Return the formulations by name, each with its substance."""
    return session.scalars(
        select(Formulation)
        .options(joinedload(Formulation.substance))
        .order_by(Formulation.name, Formulation.id)
    ).all()


def formulation_by_id(session: Session, formulation_id: UUID) -> Formulation:
    """Return the formulation with its substance. Raises Refusal NOT-FOUND."""
    found = session.scalar(
        select(Formulation).options(joinedload(Formulation.substance)).where(Formulation.id == formulation_id)
    )
    if found is None:
        raise not_found("formulation")
    return found


def substances(session: Session) -> Sequence[Substance]:
    """Return the substances by name."""
    return session.scalars(select(Substance).order_by(Substance.name, Substance.id)).all()


def suppliers(session: Session) -> Sequence[Supplier]:
    """Return the suppliers by name."""
    return session.scalars(select(Supplier).order_by(Supplier.name, Supplier.id)).all()


def supplier_by_id(session: Session, supplier_id: UUID) -> Supplier:
    """Return the supplier. Raises Refusal NOT-FOUND."""
    found = session.get(Supplier, supplier_id)
    if found is None:
        raise not_found("supplier")
    return found


def _newest(session: Session, product: Product) -> Product:
    while (newer := newer_version_of(session, product.id)) is not None:
        product = newer
    return product


def _replaced_by(session: Session, product_id: UUID) -> UUID | None:
    return session.scalar(select(Product.replaces_id).where(Product.id == product_id))


def _with_formulation() -> Select[Product]:
    return select(Product).join(Product.formulation).options(contains_eager(Product.formulation))
