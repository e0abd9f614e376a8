"""What people act under can't be changed behind their backs, whatever the code above does.

From approval on, the database refuses a change of the frame, of the dates and of the rows that describe them, unless the
session has named this process in `ojenhojde.amending` (participation/frozen.py, used by amend, extend and correct). The
opening and closing are those of the phases. A status moves only along the lifecycle.
"""

from django.db import migrations

FROZEN = "('approved', 'open', 'closed', 'decided', 'concluded')"

COLUMNS = [
    "title",
    "introduction",
    "question",
    "purposes",
    "why_this_format",
    "ladder_step",
    "who_decides",
    "decision_basis",
    "promise",
    "politicians_role",
    "blank_sheet",
    "standing_decision_url",
    "who_answers",
    "answers_due_on",
    "answer_how",
    "willing_to_try",
    "carried_into_decision",
    "decision_stage",
    "frame_adopted_on",
    "meeting_id",
    "decision_on",
    "opens_at",
    "closes_at",
    "legal_basis_id",
    "processing_days",
    "planned_dialogues",
    "staff_hours",
    "preparation",
    "touches",
    "touches_whom",
    "conflict",
    "few_but_relevant",
    "recruitment",
    "offline_route",
    "from_standard",
]
FIXED_COLUMNS = ["format", "slug", "size", "author_id"]
MOVES = [
    "draft>in_review",
    "draft>cancelled",
    "draft>informed",
    "in_review>approved",
    "in_review>draft",
    "in_review>cancelled",
    "approved>open",
    "approved>draft",
    "approved>cancelled",
    "open>closed",
    "open>cancelled",
    "closed>decided",
    "closed>cancelled",
    "decided>concluded",
]
ROWS = ["framepoint", "audience", "channel", "phase", "process_touched_districts"]


def _row(prefix: str, columns: list[str]) -> str:
    return "(" + ", ".join(f"{prefix}.{column}" for column in columns) + ")"


AMENDING = """
CREATE FUNCTION participation_amending(process_id bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
SELECT coalesce(current_setting('ojenhojde.amending', true), '') = process_id::text
$$
"""

PROCESS = f"""
CREATE FUNCTION participation_frozen_process() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> OLD.status AND (OLD.status || '>' || NEW.status) NOT IN ({", ".join(f"'{m}'" for m in MOVES)}) THEN
        RAISE EXCEPTION 'process %: no way from % to %', OLD.id, OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'process_moves_along';
    END IF;
    IF OLD.status NOT IN {FROZEN} THEN
        RETURN NEW;
    END IF;
    IF {_row("OLD", FIXED_COLUMNS)} IS DISTINCT FROM {_row("NEW", FIXED_COLUMNS)} THEN
        RAISE EXCEPTION 'process %: format, address, size and author never change after approval', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'process_fixed';
    END IF;
    IF {_row("OLD", COLUMNS)} IS DISTINCT FROM {_row("NEW", COLUMNS)} AND NOT participation_amending(OLD.id) THEN
        RAISE EXCEPTION 'process %: the rules are frozen; amend, extend or correct them', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'process_frozen';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER process_frozen BEFORE UPDATE ON participation_process
    FOR EACH ROW EXECUTE FUNCTION participation_frozen_process();
"""

ROW = f"""
CREATE FUNCTION participation_frozen_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched bigint[];
    frozen bigint;
BEGIN
    IF TG_OP = 'INSERT' THEN
        touched := ARRAY[NEW.process_id];
    ELSIF TG_OP = 'DELETE' THEN
        touched := ARRAY[OLD.process_id];
    ELSIF NEW IS NOT DISTINCT FROM OLD THEN
        RETURN NEW;
    ELSE
        touched := ARRAY[OLD.process_id, NEW.process_id];
    END IF;
    SELECT id INTO frozen FROM participation_process
        WHERE id = ANY (touched) AND status IN {FROZEN} AND NOT participation_amending(id) LIMIT 1;
    IF frozen IS NOT NULL THEN
        RAISE EXCEPTION 'process %: the rules are frozen (%)', frozen, TG_TABLE_NAME
            USING ERRCODE = 'check_violation', CONSTRAINT = 'process_frozen';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END
$$;
""" + "".join(
    f"""
CREATE TRIGGER frozen_row BEFORE INSERT OR UPDATE OR DELETE ON participation_{table}
    FOR EACH ROW EXECUTE FUNCTION participation_frozen_row();
"""
    for table in ROWS
)

PHASES = f"""
CREATE FUNCTION participation_phases_match() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    about bigint;
    wrong bigint;
BEGIN
    IF TG_TABLE_NAME = 'participation_process' THEN
        about := NEW.id;
    ELSIF TG_OP = 'DELETE' THEN
        about := OLD.process_id;
    ELSE
        about := NEW.process_id;
    END IF;
    SELECT p.id INTO wrong
        FROM participation_process p JOIN participation_phase f ON f.process_id = p.id
        WHERE p.id = about AND p.status IN {FROZEN}
        GROUP BY p.id
        HAVING min(lower(f.interval)) IS DISTINCT FROM p.opens_at OR max(upper(f.interval)) IS DISTINCT FROM p.closes_at;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'process %: opening and closing are not those of its phases', wrong
            USING ERRCODE = 'check_violation', CONSTRAINT = 'process_phases_match';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER phases_match AFTER INSERT OR UPDATE OR DELETE ON participation_phase
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION participation_phases_match();
CREATE CONSTRAINT TRIGGER phases_match AFTER UPDATE OF status, opens_at, closes_at ON participation_process
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION participation_phases_match();
"""

BACK = [
    "DROP TRIGGER phases_match ON participation_process",
    "DROP TRIGGER phases_match ON participation_phase",
    "DROP FUNCTION participation_phases_match()",
    *(f"DROP TRIGGER frozen_row ON participation_{table}" for table in ROWS),
    "DROP FUNCTION participation_frozen_row()",
    "DROP TRIGGER process_frozen ON participation_process",
    "DROP FUNCTION participation_frozen_process()",
    "DROP FUNCTION participation_amending(bigint)",
]


class Migration(migrations.Migration):
    dependencies = [("participation", "0005_process_reversible")]

    operations = [
        migrations.RunSQL([AMENDING, PROCESS, ROW, PHASES], BACK),
    ]
