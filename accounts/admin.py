"""Who works here, the districts and the register: for administrators, in Django's admin.

Every write goes through the actions. Residents have no page at all: nobody browses the register, and a protected
address is never shown.
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import ProtectedError, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts import actions, imports
from accounts.imports import districts as district_files
from accounts.imports import organisations as organisation_files
from accounts.imports import population as population_files
from accounts.imports import register as register_files
from accounts.models import District, Organisation, PopulationFigure, RegisterExtract, Unit, User
from accounts.permissions import STAFF_ROLES, Permission, Role
from accounts.verdict import Refused
from audit import clock
from audit.actions import record
from audit.admin import PlainWords
from dkfds.wording import number


class FileField(forms.FileField):
    """A file and what is wrong with it, line by line."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("File"))
        super().__init__(**kwargs)


def as_errors(refused: Refused) -> ValidationError:
    lines = refused.lines() if isinstance(refused, imports.FileRefused) else [refused.reason]
    return ValidationError([ValidationError(line) for line in lines])


@admin.register(Unit)
class UnitAdmin(PlainWords, admin.ModelAdmin):
    list_display = ["name", "email"]
    search_fields = ["name", "email"]

    def save_model(self, request: HttpRequest, obj: Unit, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        record(
            action="unit.changed" if change else "unit.created",
            by=request.user,
            obj=obj,
            changed=form.changed_data,
        )

    def delete_model(self, request: HttpRequest, obj: Unit) -> None:
        record(action="unit.deleted", by=request.user, obj=obj)
        super().delete_model(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}


class StaffForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["email", "first_name", "last_name", "role", "units", "is_active"]
        widgets = {"units": forms.CheckboxSelectMultiple}

    email = forms.EmailField(label=_("E-mail"), max_length=254)
    role = forms.ChoiceField(
        label=_("Role"),
        choices=[
            ("", "---------"),
            *((value, label) for value, label in Role.choices if value in STAFF_ROLES),
        ],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "units" in self.fields:
            self.fields["role"].help_text = _(
                "Caseworkers and managers act on the processes of their own units."
            )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        try:
            if self.instance.pk is None:
                actions.check_new_staff(email=cleaned["email"], role=cleaned["role"])
            else:
                actions.check_staff_change(
                    user=self.instance,
                    by=self.by,
                    email=cleaned["email"],
                    role=cleaned["role"],
                    is_active=cleaned.get("is_active", True),
                )
        except Refused as refused:
            self.add_error(refused.field if refused.field in self.fields else None, refused.reason)
        return cleaned

    by: User

    def _save_m2m(self) -> None:
        """The action has set the units."""


@admin.register(User)
class UserAdmin(PlainWords, admin.ModelAdmin):
    """Those who work here. Citizens look after their own accounts and are not listed."""

    list_title = _("Colleagues")
    form = StaffForm
    list_display = ["email", "first_name", "last_name", "role", "is_active", "last_login"]
    list_filter = ["role", "is_active", "units"]
    search_fields = ["email", "first_name", "last_name"]
    ordering = ["email"]
    actions = ["send_link", "reset_factor"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).filter(role__in=STAFF_ROLES, deleted_at=None)

    def get_form(self, request: HttpRequest, obj: User | None = None, **kwargs: Any) -> type[forms.ModelForm]:
        form = super().get_form(request, obj, **kwargs)
        form.by = request.user  # type: ignore[attr-defined]
        return form

    def get_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        fields = ["email", "first_name", "last_name", "role", "units"]
        return fields if obj is None else [*fields, "is_active"]

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        assert isinstance(request.user, User)
        data = form.cleaned_data
        if change:
            actions.update_staff(user=obj, by=request.user, **data)
            return
        made = actions.create_staff(by=request.user, **data)
        obj.pk = made.pk
        obj.handle = made.handle
        obj._state.adding = False
        actions.send_password_link(user=made, by=request.user, request=request)
        messages.success(
            request, _("We have sent %(email)s a link to choose a password.") % {"email": made.email}
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Accounts are closed, so that what they did can still be read."""
        return False

    @admin.action(description=_("Send a link to choose a password"))
    def send_link(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._each(
            request,
            queryset,
            lambda user: actions.send_password_link(
                user=user,
                by=request.user,
                request=request,  # type: ignore[arg-type]
            ),
            _("The link is sent to %(who)s."),
        )

    @admin.action(description=_("Take away the second factor (lost telephone)"))
    def reset_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._each(
            request,
            queryset,
            lambda user: actions.reset_second_factor(
                user=user,
                by=request.user,  # type: ignore[arg-type]
            ),
            _("%(who)s sets up a new second factor at the next sign-in."),
        )

    def _each(self, request: HttpRequest, users: QuerySet[User], act: Any, done: Any) -> None:
        for user in users:
            try:
                act(user)
                messages.success(request, done % {"who": user.email})
            except Refused as refused:
                messages.error(request, f"{user.email}: {refused.reason}")


class DistrictFileForm(forms.Form):
    kind = forms.ChoiceField(label=_("Kind"), choices=District.Kind.choices)
    file = FileField(
        help_text=_(
            "GeoJSON in degrees (WGS 84). Each area needs the properties “code” and “name”. Known codes are renewed,"
            " new ones are added, and the others stay."
        )
    )

    def clean_file(self) -> Any:
        try:
            return district_files.parse(self.cleaned_data["file"])
        except Refused as refused:
            raise as_errors(refused) from refused


class PopulationFileForm(forms.Form):
    file = FileField(
        help_text=_(
            "Statistics Denmark's table FOLK1A as CSV, by sex and age. It replaces the figures of the whole municipality."
        )
    )

    def clean_file(self) -> Any:
        try:
            return population_files.parse(self.cleaned_data["file"])
        except Refused as refused:
            raise as_errors(refused) from refused


class UploadPage:
    """An extra page of a model's admin: a form with a file."""

    def upload(
        self, request: HttpRequest, form_class: type[forms.Form], title: Any, act: Any
    ) -> HttpResponse:
        admin_class: Any = self
        if not admin_class.has_add_permission(request):
            raise PermissionDenied
        form = form_class(
            request.POST if request.method == "POST" else None,
            request.FILES if request.method == "POST" else None,
        )
        if form.is_valid():
            try:
                messages.success(request, act(form.cleaned_data))
                return HttpResponseRedirect(
                    reverse(f"admin:{admin_class.opts.app_label}_{admin_class.opts.model_name}_changelist")
                )
            except Refused as refused:
                form.add_error(None, as_errors(refused))
        context = admin_class.admin_site.each_context(request) | {
            "form": form,
            "title": title,
            "opts": admin_class.opts,
        }
        return render(request, "admin/accounts/upload.html", context)


class OrganisationFileForm(forms.Form):
    file = FileField(
        help_text=format_lazy(
            "{} {}. {} {}.",
            _(
                "CSV separated by semicolons, with these columns on the first line. Either all of it is imported or nothing."
            ),
            ", ".join(organisation_files.COLUMNS),
            _(
                "Known CVR numbers are renewed, new ones are added, and the others stay. The kind is one of these:"
            ),
            ", ".join(organisation_files.KINDS),
        )
    )

    def clean_file(self) -> Any:
        try:
            return organisation_files.parse(self.cleaned_data["file"])
        except Refused as refused:
            raise as_errors(refused) from refused


@admin.register(Organisation)
class OrganisationAdmin(UploadPage, PlainWords, admin.ModelAdmin):
    list_title = _("Businesses and associations")
    list_display = ["name", "cvr", "kind", "industry_code", "industry"]
    list_filter = ["kind"]
    search_fields = ["name", "cvr", "industry_code", "industry"]
    ordering = ["name", "pk"]
    change_list_template = "admin/accounts/organisation_list.html"

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.import_page)
        return [path("import/", page, name="accounts_organisation_import"), *super().get_urls()]

    def import_page(self, request: HttpRequest) -> HttpResponse:
        if not (isinstance(request.user, User) and request.user.may(Permission.IMPORT_REGISTER)):
            raise PermissionDenied

        def act(data: dict[str, Any]) -> Any:
            assert isinstance(request.user, User)
            came = imports.import_organisations(by=request.user, parsed=data["file"])
            return _("%(lines)s lines are imported: %(new)s new and %(changed)s changed.") % {
                "lines": number(came.all),
                "new": number(came.new),
                "changed": number(came.changed),
            }

        return self.upload(request, OrganisationFileForm, _("Import businesses and associations"), act)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def save_model(self, request: HttpRequest, obj: Organisation, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        record(action="organisation.changed", by=request.user, obj=obj, changed=form.changed_data)


@admin.register(District)
class DistrictAdmin(UploadPage, PlainWords, admin.ModelAdmin):
    list_display = ["name", "kind", "code"]
    list_filter = ["kind"]
    search_fields = ["name", "code"]
    fields = ["kind", "code", "name"]
    change_list_template = "admin/accounts/district_list.html"

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.import_page)
        return [path("import/", page, name="accounts_district_import"), *super().get_urls()]

    def import_page(self, request: HttpRequest) -> HttpResponse:
        def act(data: dict[str, Any]) -> Any:
            assert isinstance(request.user, User)
            made = imports.import_districts(by=request.user, kind=data["kind"], areas=data["file"])
            return _("%(count)s districts are imported.") % {"count": len(made)}

        return self.upload(request, DistrictFileForm, _("Import districts"), act)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def save_model(self, request: HttpRequest, obj: District, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        record(action="district.changed", by=request.user, obj=obj, changed=form.changed_data)

    def delete_model(self, request: HttpRequest, obj: District) -> None:
        try:
            record(action="district.deleted", by=request.user, obj=obj)
            super().delete_model(request, obj)
        except ProtectedError:
            messages.error(request, _("Something refers to this district, so it can't be deleted."))


class RegisterForm(forms.ModelForm):
    class Meta:
        model = RegisterExtract
        fields = ["drawn_on", "valid_until"]

    file = FileField(
        help_text=format_lazy(
            "{} {}",
            _(
                "CSV separated by semicolons, with these columns on the first line. Either all of it is imported or nothing."
            ),
            ", ".join(register_files.COLUMNS),
        )
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        try:
            register_files.check_dates(cleaned["drawn_on"], cleaned["valid_until"])
            cleaned["parsed"] = register_files.parse(cleaned["file"], drawn_on=cleaned["drawn_on"])
            register_files.check_new(cleaned["parsed"])
        except imports.FileRefused as refused:
            self.add_error("file", as_errors(refused))
        except Refused as refused:
            self.add_error(refused.field, refused.reason)
        return cleaned


@admin.register(RegisterExtract)
class RegisterExtractAdmin(PlainWords, admin.ModelAdmin):
    """Import and see that it is there; the people in it are on no page."""

    list_display = ["drawn_on", "valid_until", "lines", "imported_at", "imported_by", "state"]
    readonly_fields = [
        "drawn_on",
        "imported_at",
        "imported_by",
        "valid_until",
        "purged_at",
        "lines",
        "sha256",
    ]
    ordering = ["-drawn_on"]

    @admin.display(description=_("rows"), ordering="rows")
    def lines(self, extract: RegisterExtract) -> str:
        return number(extract.rows)

    @admin.display(description=_("state"))
    def state(self, extract: RegisterExtract) -> Any:
        if extract.purged_at is not None:
            return _("deleted")
        if extract.valid_until < clock.today():
            return _("expired")
        current = RegisterExtract.objects.counting_on(clock.today()).first()
        return _("in use") if current is not None and current.pk == extract.pk else _("replaced")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [] if obj is None else self.readonly_fields

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = RegisterForm
        return super().get_form(request, obj, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["drawn_on", "valid_until", "file"] if obj is None else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: RegisterExtract, form: Any, change: bool) -> None:
        if change:
            return
        assert isinstance(request.user, User)
        made = imports.import_register(
            by=request.user,
            parsed=form.cleaned_data["parsed"],
            drawn_on=form.cleaned_data["drawn_on"],
            valid_until=form.cleaned_data["valid_until"],
        )
        obj.pk = made.pk
        obj.refresh_from_db()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return isinstance(request.user, User) and request.user.may(Permission.IMPORT_REGISTER)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(PopulationFigure)
class PopulationFigureAdmin(UploadPage, PlainWords, admin.ModelAdmin):
    list_display = ["district", "sex", "age", "people", "source"]
    list_filter = ["sex", "source"]
    list_select_related = ["district"]
    ordering = ["district", "sex", "age"]
    change_list_template = "admin/accounts/population_list.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("import/", view(self.import_page), name="accounts_populationfigure_import"),
            path("count/", view(self.count), name="accounts_populationfigure_count"),
            *super().get_urls(),
        ]

    def import_page(self, request: HttpRequest) -> HttpResponse:
        def act(data: dict[str, Any]) -> Any:
            assert isinstance(request.user, User)
            people = imports.import_population(by=request.user, parsed=data["file"])
            return _("Figures of %(people)s people are imported.") % {"people": people}

        return self.upload(request, PopulationFileForm, _("Import population figures"), act)

    def count(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            try:
                assert isinstance(request.user, User)
                people = imports.population_from_register(by=request.user)
                messages.success(request, _("%(people)s people are counted.") % {"people": people})
            except Refused as refused:
                messages.error(request, refused.reason)
        return HttpResponseRedirect(reverse("admin:accounts_populationfigure_changelist"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return isinstance(request.user, User) and request.user.may(Permission.IMPORT_REGISTER)

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:accounts_populationfigure_import"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
