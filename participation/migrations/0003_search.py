"""Search vectors kept by the database, NULL unless the row is public: a query can't find what nobody may see.

Words are kept three ways: stemmed as written, stemmed in folded spelling, and folded but whole (for prefixes).
Weights: A title and question, B introduction and text, C place, open points and what was promised.
"""

from django.db import migrations

FUNCTIONS = """
CREATE FUNCTION da_vector(value text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT to_tsvector('pg_catalog.danish', coalesce(value, ''))
    || to_tsvector('pg_catalog.danish', coalesce(da_fold(value), ''))
    || to_tsvector('pg_catalog.simple', coalesce(da_fold(value), ''))
$$;

CREATE FUNCTION process_is_public(status text, listed boolean) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT listed AND status NOT IN ('draft', 'in_review')
$$;

CREATE FUNCTION process_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.search_vector := CASE WHEN process_is_public(NEW.status, NEW.listed) THEN
        setweight(da_vector(NEW.title), 'A') || setweight(da_vector(NEW.question), 'A')
        || setweight(da_vector(left(NEW.introduction, 20000)), 'B') || setweight(da_vector(NEW.promise), 'C')
    END;
    RETURN NEW;
END $$;

CREATE FUNCTION contribution_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.search_vector := CASE
        WHEN NEW.moderation = 'published' AND (
            SELECT process_is_public(p.status, p.listed) FROM participation_process p WHERE p.id = NEW.process_id
        ) THEN
            setweight(da_vector(NEW.title), 'A') || setweight(da_vector(NEW.body), 'B')
            || setweight(da_vector(NEW.place), 'C')
    END;
    RETURN NEW;
END $$;

CREATE FUNCTION process_shows_contributions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE participation_contribution SET moderation = moderation WHERE process_id = NEW.id;
    RETURN NULL;
END $$;
"""

TRIGGERS = """
CREATE TRIGGER process_search
BEFORE INSERT OR UPDATE OF title, question, introduction, promise, status, listed ON participation_process
FOR EACH ROW EXECUTE FUNCTION process_search();

CREATE TRIGGER contribution_search
BEFORE INSERT OR UPDATE OF title, body, place, moderation, process_id, search_vector ON participation_contribution
FOR EACH ROW EXECUTE FUNCTION contribution_search();

CREATE TRIGGER process_shows_contributions
AFTER UPDATE OF status, listed ON participation_process
FOR EACH ROW
WHEN (process_is_public(OLD.status, OLD.listed) IS DISTINCT FROM process_is_public(NEW.status, NEW.listed))
EXECUTE FUNCTION process_shows_contributions();

CREATE INDEX process_title_like ON participation_process USING gin (da_fold(title || ' ' || question) gin_trgm_ops);
CREATE INDEX contribution_title_like ON participation_contribution USING gin (da_fold(title) gin_trgm_ops);

UPDATE participation_process SET status = status;
UPDATE participation_contribution SET moderation = moderation;
"""

BACK = """
DROP INDEX contribution_title_like;
DROP INDEX process_title_like;
DROP TRIGGER process_shows_contributions ON participation_process;
DROP TRIGGER contribution_search ON participation_contribution;
DROP TRIGGER process_search ON participation_process;
DROP FUNCTION process_shows_contributions();
DROP FUNCTION contribution_search();
DROP FUNCTION process_search();
DROP FUNCTION process_is_public(text, boolean);
DROP FUNCTION da_vector(text);
"""


class Migration(migrations.Migration):
    dependencies = [("participation", "0002_danish_text")]

    operations = [
        migrations.RunSQL(FUNCTIONS, migrations.RunSQL.noop),
        migrations.RunSQL(TRIGGERS, BACK),
    ]
