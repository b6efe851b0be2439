"""The page /verify: a file in, a row for each check out. What is uploaded is read and forgotten."""

from typing import Any

from flask import render_template, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import FileField

from inventory.audit.limits import keeps_to_days
from inventory.kernel.permissions import Permission
from inventory.reports.verification.checks import verify_report
from inventory.reports.verification.verdict import Answer
from inventory.web.access import requires
from inventory.web.fields import Required
from inventory.web.forms import ClinicForm

MOST_LINKS = 20_000
"""How far a page walks along the trail; the command walks it whole."""


class ReportField(FileField):
    """A file that was chosen: `data` is its bytes. A request that is too large is refused before it comes so far."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the file beside the typed fields; no file is None."""
        chosen = request.files.get(self.name)
        self.data = None
        if chosen is not None and chosen.filename:
            self.data = chosen.stream.read()
            chosen.close()


class VerifyForm(ClinicForm):
    """The file to check."""

    file = ReportField("Report", [Required("Choose the file of a report.")])


@requires(Permission.REPORT_READ)
@keeps_to_days
def verify() -> ResponseReturnValue:
    """Check a file against the register and the record."""
    form = VerifyForm()
    answer: Answer | None = None
    if form.validate_on_submit():
        answer = verify_report(form.file.data, actor=current_user.actor, most_links=MOST_LINKS)
    return render_template("reports/verify.html", form=form, answer=answer), 200 if answer else form.status


def give_address(state: BlueprintSetupState) -> None:
    """Let the page stand at /verify, as the reports print it, though it is of the room of reports."""
    state.app.add_url_rule("/verify", "reports.verify", verify, methods=["GET", "POST"])
