"""The pages of the catalogue: products, formulations and suppliers."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from inventory.audit.acts import Outcome
from inventory.catalogue import presenters, queries, services
from inventory.catalogue.act_forms import act_page
from inventory.catalogue.forms import (
    FormulationForm,
    NewFormulationForm,
    ProductFilter,
    ProductForm,
    SupplierForm,
    typed_of,
)
from inventory.catalogue.versions import versions
from inventory.kernel.clock import now
from inventory.kernel.db import db
from inventory.kernel.permissions import Permission
from inventory.staff.current import current_actor
from inventory.web.access import requires, safe_next_path
from inventory.web.pagination import cursor_here

bp = Blueprint("catalogue", __name__, url_prefix="/catalogue")


def init_app(app: Flask) -> None:
    """Let templates word products."""
    filters = {
        "product_line": presenters.product_line,
        "product_container": presenters.container,
        "product_routes": presenters.routes,
        "product_storage": presenters.storage,
        "product_witness": presenters.witness,
    }
    app.jinja_env.filters.update(filters)


@bp.get("/")
@requires(Permission.CATALOGUE_READ)
def index() -> ResponseReturnValue:
    """List the products."""
    filters = ProductFilter()
    filters.formulation.offer((f.id, f.name) for f in queries.formulations(db.session()))
    valid = filters.validate()
    page = queries.products_page(
        db.session(),
        words=str(filters.q.data or "") if valid else "",
        retired=valid and bool(filters.retired.data),
        formulation_id=UUID(filters.formulation.data) if valid and filters.formulation.data else None,
        cursor=cursor_here(),
    )
    return render_template("catalogue/index.html", filters=filters, page=page), 200 if valid else 422


@bp.get("/products/<uuid:product_id>")
@requires(Permission.CATALOGUE_READ)
def product(product_id: UUID) -> str:
    """Show a product."""
    found = queries.product_by_id(db.session(), product_id)
    newer = queries.newer_version_of(db.session(), product_id)
    told = versions(queries.versions_of(db.session(), found))
    return render_template("catalogue/product.html", product=found, newer=newer, versions=told)


@bp.route("/products/new", methods=["GET", "POST"])
@requires(Permission.CATALOGUE_MANAGE)
def add_product() -> ResponseReturnValue:
    """Add a product; `gtin` fills in that of a pack that was scanned, `next` leads back to where it was."""
    form = _product_form({"gtin": request.args.get("gtin", "")[:14]})
    back = safe_next_path(request.args.get("next"), default="")
    return act_page(
        form,
        lambda: services.add_product(
            actor=current_actor(), at=now(), request_key=form.act_key, draft=form.draft()
        ),
        template="catalogue/edit_product.html",
        to=lambda outcome: back or _product_page(outcome),
        done="The product is in the catalogue.",
        shown=lambda: {
            "product": None,
            "heading": "Add a product",
            "submit_text": "Add the product",
            "cancel_to": back or url_for("catalogue.index"),
            "has_formulations": bool(form.formulation.offered),
        },
    )


@bp.route("/products/<uuid:product_id>/edit", methods=["GET", "POST"])
@requires(Permission.CATALOGUE_MANAGE)
def edit_product(product_id: UUID) -> ResponseReturnValue:
    """Change a product."""
    form = _product_form(typed_of(queries.product_by_id(db.session(), product_id)))
    return act_page(
        form,
        lambda: services.edit_product(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            product_id=product_id,
            version=form.read_version,
            draft=form.draft(),
        ),
        template="catalogue/edit_product.html",
        to=_product_page,
        done="The product is changed.",
        shown=lambda: _edit_shown(product_id, "Edit a product", "Save"),
    )


@bp.route("/products/<uuid:product_id>/new-version", methods=["GET", "POST"])
@requires(Permission.CATALOGUE_MANAGE)
def new_product_version(product_id: UUID) -> ResponseReturnValue:
    """Make the next version of a product."""
    form = _product_form(typed_of(queries.product_by_id(db.session(), product_id)))
    return act_page(
        form,
        lambda: services.new_product_version(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            product_id=product_id,
            draft=form.draft(),
        ),
        template="catalogue/edit_product.html",
        to=_product_page,
        done="The new version is in the catalogue; the one before is retired.",
        shown=lambda: _edit_shown(product_id, "A new version of a product", "Add the new version"),
    )


@bp.post("/products/<uuid:product_id>/retire")
@requires(Permission.CATALOGUE_MANAGE)
def retire_product(product_id: UUID) -> ResponseReturnValue:
    """Receive no more of a product."""
    services.retire_product(actor=current_actor(), at=now(), product_id=product_id)
    flash("The product is retired. What is in stock may still be used.")
    return redirect(url_for("catalogue.product", product_id=product_id))


@bp.post("/products/<uuid:product_id>/restore")
@requires(Permission.CATALOGUE_MANAGE)
def restore_product(product_id: UUID) -> ResponseReturnValue:
    """Receive a retired product again."""
    services.restore_product(actor=current_actor(), at=now(), product_id=product_id)
    flash("The product may be received again.")
    return redirect(url_for("catalogue.product", product_id=product_id))


@bp.get("/formulations")
@requires(Permission.CATALOGUE_READ)
def formulations() -> str:
    """List the formulations."""
    return render_template("catalogue/formulations.html", formulations=queries.formulations(db.session()))


@bp.route("/formulations/new", methods=["GET", "POST"])
@requires(Permission.CATALOGUE_MANAGE)
def add_formulation() -> ResponseReturnValue:
    """Add a formulation."""
    form = NewFormulationForm()
    form.substance.offer((s.id, s.name) for s in queries.substances(db.session()))
    return act_page(
        form,
        lambda: services.add_formulation(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            name=str(form.name.data),
            substance_id=UUID(form.substance.data) if form.substance.data else None,
            new_substance=str(form.new_substance.data),
            is_cobalamin=bool(form.is_cobalamin.data),
            lebers_caution=bool(form.lebers_caution.data),
            refused=bool(form.refused.data),
        ),
        template="catalogue/edit_formulation.html",
        to=_formulations_page,
        done="The formulation is in the catalogue.",
        shown=lambda: {
            "formulation": None,
            "submit_text": "Add the formulation",
            "cancel_to": url_for("catalogue.formulations"),
        },
    )


@bp.route("/formulations/<uuid:formulation_id>/edit", methods=["GET", "POST"])
@requires(Permission.CATALOGUE_MANAGE)
def edit_formulation(formulation_id: UUID) -> ResponseReturnValue:
    """Rename a formulation, or say whether the clinic uses it."""
    form = FormulationForm(obj=queries.formulation_by_id(db.session(), formulation_id))
    return act_page(
        form,
        lambda: services.edit_formulation(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            formulation_id=formulation_id,
            name=str(form.name.data),
            lebers_caution=bool(form.lebers_caution.data),
            refused=bool(form.refused.data),
        ),
        template="catalogue/edit_formulation.html",
        to=_formulations_page,
        done="The formulation is changed.",
        shown=lambda: {
            "formulation": queries.formulation_by_id(db.session(), formulation_id),
            "submit_text": "Save",
            "cancel_to": url_for("catalogue.formulations"),
        },
    )


@bp.get("/suppliers")
@requires(Permission.CATALOGUE_READ)
def suppliers() -> str:
    """List the suppliers."""
    return render_template("catalogue/suppliers.html", suppliers=queries.suppliers(db.session()))


@bp.route("/suppliers/new", methods=["GET", "POST"])
@requires(Permission.CATALOGUE_MANAGE)
def add_supplier() -> ResponseReturnValue:
    """Add a supplier."""
    form = SupplierForm()
    return act_page(
        form,
        lambda: services.add_supplier(
            actor=current_actor(), at=now(), request_key=form.act_key, name=str(form.name.data)
        ),
        template="catalogue/edit_supplier.html",
        to=lambda _outcome: url_for("catalogue.suppliers"),
        done="The supplier is added.",
        shown=lambda: {
            "heading": "Add a supplier",
            "submit_text": "Add the supplier",
            "cancel_to": url_for("catalogue.suppliers"),
        },
    )


@bp.route("/suppliers/<uuid:supplier_id>/edit", methods=["GET", "POST"])
@requires(Permission.CATALOGUE_MANAGE)
def edit_supplier(supplier_id: UUID) -> ResponseReturnValue:
    """Correct a supplier's name."""
    form = SupplierForm(obj=queries.supplier_by_id(db.session(), supplier_id))
    return act_page(
        form,
        lambda: services.rename_supplier(
            actor=current_actor(),
            at=now(),
            request_key=form.act_key,
            supplier_id=supplier_id,
            name=str(form.name.data),
        ),
        template="catalogue/edit_supplier.html",
        to=lambda _outcome: url_for("catalogue.suppliers"),
        done="The supplier is changed.",
        shown=lambda: {
            "heading": "Edit a supplier",
            "submit_text": "Save",
            "cancel_to": url_for("catalogue.suppliers"),
        },
    )


def _product_form(typed: dict[str, Any]) -> ProductForm:
    form = ProductForm(data=typed)
    form.offer(queries.formulations(db.session()), queries.substances(db.session()))
    return form


def _product_page(outcome: Outcome) -> str:
    return url_for("catalogue.product", product_id=outcome.subject_id)


def _formulations_page(_outcome: Outcome) -> str:
    return url_for("catalogue.formulations")


def _edit_shown(product_id: UUID, heading: str, submit_text: str) -> dict[str, Any]:
    return {
        "product": queries.product_by_id(db.session(), product_id),
        "heading": heading,
        "submit_text": submit_text,
        "cancel_to": url_for("catalogue.product", product_id=product_id),
        "has_formulations": True,
    }
