"""Small relations read together with their parent, in its own query, as JSON.

A page that shows one thing with eight short lists asks once instead of nine times. For lists of a handful of plain
rows; ranges and files don't survive JSON, and long lists belong in queries of their own.
"""

from typing import Any, TypeVar

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Model, OuterRef, QuerySet
from django.db.models.functions import JSONObject

Row = TypeVar("Row", bound=Model)


def _column(relation: str) -> str:
    return f"_gathered_{relation}"


def gather(rows: QuerySet[Row], *relations: str) -> QuerySet[Row]:
    """Annotate the rows of each reverse foreign key, in their own order; `unpack` makes objects of them."""
    for relation in relations:
        link = rows.model._meta.get_field(relation)
        fields = {field.attname: field.attname for field in link.related_model._meta.concrete_fields}
        found = link.related_model._default_manager.filter(**{link.field.name: OuterRef("pk")})
        rows = rows.annotate(**{_column(relation): ArraySubquery(found.values(row=JSONObject(**fields)))})
    return rows


def unpack(parent: Any, *relations: str) -> None:
    """Put the gathered rows where `parent.relation.all()` finds them without a query."""
    cache = parent.__dict__.setdefault("_prefetched_objects_cache", {})
    for relation in relations:
        link = parent._meta.get_field(relation)
        model = link.related_model
        kept = getattr(parent, relation).get_queryset()
        kept._result_cache = []
        for row in getattr(parent, _column(relation)):
            fields = model._meta.concrete_fields
            values = [field.to_python(row[field.attname]) for field in fields]
            made = model.from_db(parent._state.db, [field.attname for field in fields], values)
            setattr(made, link.field.name, parent)
            kept._result_cache.append(made)
        kept._prefetch_done = True
        cache[relation] = kept
