"""Who takes part and who works here.

A `User` is whoever signs in. A `Person` is the human being that may support or vote once; a `PersonKey` is one of the
things the person is recognised by. The register extract says where people live, and expires.
"""

import uuid
from datetime import date

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from accounts.fields import EncryptedTextField
from accounts.permissions import PERMISSIONS_OF, STAFF_ROLES, Permission, Role


class Person(models.Model):
    """A human being, once. Carries no name; uniqueness of votes and support hangs on it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    birth_date = models.DateField(
        _("birth date"), null=True, help_text=_("From the sign-in broker, for those outside the register.")
    )

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("persons")

    def __str__(self) -> str:
        return str(self.id)


class PersonKey(models.Model):
    """An alias of a person: an HMAC of the CPR number, or of the broker's own id where there is none."""

    class Kind(models.TextChoices):
        CPR = "cpr", _("CPR number")
        MITID = "mitid", _("MitID")

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="keys")
    kind = models.CharField(max_length=5, choices=Kind.choices)
    version = models.PositiveSmallIntegerField(help_text=_("Which of PERSON_KEY_SECRETS made it."))
    hmac = models.CharField(max_length=64, unique=True)

    class Meta:
        verbose_name = _("person key")
        verbose_name_plural = _("person keys")

    def __str__(self) -> str:
        return f"{self.kind}/{self.version}"


class Organisation(models.Model):
    """A business, association, board or council that takes part as what it is."""

    class Kind(models.TextChoices):
        BUSINESS = "business", _("Business")
        ASSOCIATION = "association", _("Association")
        BOARD = "board", _("Board")
        COUNCIL = "council", _("Council")

    cvr = models.CharField(_("CVR number"), max_length=8, unique=True, null=True, blank=True)
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices, default=Kind.BUSINESS)
    industry_code = models.CharField(
        _("industry code"), max_length=6, blank=True, help_text=_("Six digits, as in the CVR register.")
    )
    industry = models.CharField(_("industry"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")

    def __str__(self) -> str:
        return self.name


class Unit(models.Model):
    """A part of the municipality that owns processes and answers for them."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    email = models.EmailField(_("inbox"), help_text=_("Shared mailbox: duties fall back on it."))

    class Meta:
        verbose_name = _("unit")
        verbose_name_plural = _("units")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str | None = None, password: str | None = None, **fields: object) -> "User":
        user = self.model(email=self.normalize_email(email) if email else None, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, handle: str, password: str | None = None, **fields: object) -> "User":
        return self.create_user(handle=handle, password=password, role=Role.ADMINISTRATOR, **fields)


def new_handle() -> str:
    return uuid.uuid4().hex


class User(AbstractBaseUser):
    """Whoever signs in. One role; caseworkers and managers act within their units."""

    handle = models.CharField(max_length=40, unique=True, default=new_handle, editable=False)
    email = models.EmailField(_("e-mail"), null=True, blank=True)
    first_name = models.CharField(_("first name"), max_length=80, blank=True)
    last_name = models.CharField(_("last name"), max_length=120, blank=True)
    role = models.CharField(_("role"), max_length=16, choices=Role.choices, default=Role.CITIZEN)
    units = models.ManyToManyField(Unit, verbose_name=_("units"), blank=True, related_name="people")
    person = models.OneToOneField(
        Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="user"
    )
    organisation = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.SET_NULL, related_name="users"
    )
    district = models.ForeignKey(
        "District",
        verbose_name=_("district"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        help_text=_("The district whose news you see first."),
    )
    language = models.CharField(_("language"), max_length=5, default="da")
    is_active = models.BooleanField(_("active"), default=True)
    date_joined = models.DateTimeField(_("since"))
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True)

    objects = UserManager()

    USERNAME_FIELD = "handle"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: list[str] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="user_staff_email_once",
                condition=~Q(role="citizen") & Q(deleted_at=None),
            ),
            models.CheckConstraint(
                name="user_role_known", condition=Q(role__in=[value for value, _label in Role.choices])
            ),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.email or self.handle

    def save(self, *args: object, **kwargs: object) -> None:
        if self.date_joined is None:
            from audit import clock

            self.date_joined = clock.now()
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def get_full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def get_short_name(self) -> str:
        return self.first_name

    def may(self, permission: Permission) -> bool:
        """Whether the role carries this permission at all."""
        return self.is_active and permission in PERMISSIONS_OF[self.role]

    @property
    def is_staff(self) -> bool:
        """Who may enter the admin (Django's word for it)."""
        return self.may(Permission.ENTER_ADMIN)

    @property
    def is_superuser(self) -> bool:
        """Nobody is above the permission table (Django asks)."""
        return False

    @property
    def needs_second_factor(self) -> bool:
        return self.role in STAFF_ROLES

    def unit_ids(self) -> frozenset[int]:
        """Ids of the units this user belongs to; asked once per request."""
        if not hasattr(self, "_unit_ids"):
            self._unit_ids = frozenset(self.units.values_list("pk", flat=True))
        return self._unit_ids

    def has_perm(self, perm: str, obj: object = None) -> bool:
        from accounts.backends import may_in_admin

        return may_in_admin(self, perm)

    def has_perms(self, perm_list: list[str], obj: object = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff


class DistrictQuerySet(models.QuerySet["District"]):
    def of_home(self) -> "DistrictQuerySet":
        """The kind that people are asked about and counted by, not all three on top of each other: school districts,
        else local areas, else polling districts."""
        kinds = (District.Kind.SCHOOL, District.Kind.LOCAL, District.Kind.POLLING)
        preferred = models.Case(*(models.When(kind=kind, then=place) for place, kind in enumerate(kinds)))
        first = District.objects.order_by(preferred).values("kind")[:1]
        return self.filter(kind=models.Subquery(first)).defer("geometry")


class District(models.Model):
    """A part of the municipality with a border: school district, polling district or local area."""

    class Kind(models.TextChoices):
        SCHOOL = "school", _("School district")
        POLLING = "polling", _("Polling district")
        LOCAL = "local", _("Local area")

    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    code = models.CharField(_("code"), max_length=20)
    name = models.CharField(_("name"), max_length=120)
    geometry = models.JSONField(
        _("border"), null=True, blank=True, help_text=_("GeoJSON Polygon or MultiPolygon in WGS 84.")
    )

    objects = DistrictQuerySet.as_manager()

    class Meta:
        verbose_name = _("district")
        verbose_name_plural = _("districts")
        ordering = ["kind", "name"]
        constraints = [models.UniqueConstraint(fields=["kind", "code"], name="district_code_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def name_and_kind(self) -> str:
        """For choosing among all of them: a school district and a polling district may share a name."""
        return f"{self.name} ({self.get_kind_display().lower()})"


class RegisterExtractQuerySet(models.QuerySet["RegisterExtract"]):
    def counting_on(self, day: date) -> "RegisterExtractQuerySet":
        """The newest extract that is valid on that day: the only one that says who lives here."""
        return self.filter(purged_at=None, valid_until__gte=day).order_by("-drawn_on", "-pk")


class RegisterExtract(models.Model):
    """One import of the population register. Expires, and is purged by a task."""

    drawn_on = models.DateField(_("drawn on"), help_text=_("The day the register office made the file."))
    imported_at = models.DateTimeField(_("imported"))
    imported_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    valid_until = models.DateField(_("valid until"))
    purged_at = models.DateTimeField(_("purged"), null=True, blank=True)
    rows = models.PositiveIntegerField(_("rows"), default=0)
    sha256 = models.CharField(max_length=64)

    objects = RegisterExtractQuerySet.as_manager()

    class Meta:
        verbose_name = _("register extract")
        verbose_name_plural = _("register extracts")
        ordering = ["-drawn_on", "-id"]
        get_latest_by = ["drawn_on", "id"]

    def __str__(self) -> str:
        return date_format(self.drawn_on)


class Resident(models.Model):
    """One line of an extract. CPR number, name and address are encrypted; look-up goes by PersonKey."""

    class Sex(models.TextChoices):
        FEMALE = "F", _("Woman")
        MALE = "M", _("Man")

    extract = models.ForeignKey(RegisterExtract, on_delete=models.CASCADE, related_name="residents")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="residences")
    birth_date = models.DateField(_("birth date"))
    sex = models.CharField(_("sex"), max_length=1, choices=Sex.choices)
    status = models.CharField(_("status"), max_length=12, help_text=_("CPR status code."))
    municipality_code = models.CharField(_("municipality"), max_length=4)
    school_district = models.ForeignKey(District, null=True, on_delete=models.SET_NULL, related_name="+")
    polling_district = models.ForeignKey(District, null=True, on_delete=models.SET_NULL, related_name="+")
    household = models.CharField(_("household"), max_length=64, help_text=_("HMAC of the household key."))
    protected = models.BooleanField(_("protected address"))
    digital_post = models.BooleanField(_("Digital Post"))
    cpr = EncryptedTextField()
    name = EncryptedTextField()
    address = EncryptedTextField()

    class Meta:
        verbose_name = _("resident")
        verbose_name_plural = _("residents")
        constraints = [
            models.UniqueConstraint(fields=["extract", "person"], name="resident_once_per_extract")
        ]
        indexes = [
            models.Index(fields=["extract", "school_district", "birth_date"], name="resident_school"),
            models.Index(fields=["extract", "polling_district", "birth_date"], name="resident_polling"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class EligibilityRule(models.Model):
    """Who may do something: one rule object, answered by `accounts.eligibility` with a Verdict.

    Owned by whatever refers to it; frozen together with that.
    """

    class Residence(models.TextChoices):
        ANYONE = "anyone", _("Everyone, wherever they live")
        MUNICIPALITY = "municipality", _("Those who live in the municipality")
        DISTRICTS = "districts", _("Those who live in the districts chosen")

    min_age = models.PositiveSmallIntegerField(_("age from"), default=15)
    age_on = models.DateField(
        _("age on"), null=True, blank=True, help_text=_("Empty: on the day it is done.")
    )
    residence = models.CharField(
        _("who"), max_length=12, choices=Residence.choices, default=Residence.MUNICIPALITY
    )
    districts = models.ManyToManyField(District, verbose_name=_("districts"), blank=True)
    organisations = models.BooleanField(_("also businesses and associations"), default=False)

    class Meta:
        verbose_name = _("eligibility rule")
        verbose_name_plural = _("eligibility rules")
        constraints = [models.CheckConstraint(name="eligibility_age_sane", condition=Q(min_age__lte=120))]

    def __str__(self) -> str:
        return f"{self.get_residence_display()} ({self.min_age}+)"


class PopulationFigure(models.Model):
    """The reference population, from Statistics Denmark's FOLK1A or from the register extract."""

    district = models.ForeignKey(District, null=True, blank=True, on_delete=models.CASCADE)
    sex = models.CharField(_("sex"), max_length=1, choices=Resident.Sex.choices)
    age = models.PositiveSmallIntegerField(_("age"))
    people = models.PositiveIntegerField(_("people"))
    source = models.CharField(_("source"), max_length=120)

    class Meta:
        verbose_name = _("population figure")
        verbose_name_plural = _("population figures")
        constraints = [
            models.UniqueConstraint(
                fields=["district", "sex", "age"], name="population_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.district} {self.sex} {self.age}"
