-- What the sweep does at the close of a week, by hand: the fewest statements that write the same rows.
UPDATE obligations_obligation
SET closed_at = closes_at, outcome = CASE outcome WHEN 'pending' THEN 'missed' ELSE outcome END
WHERE period_id = %(period)s AND closed_at IS NULL AND closes_at <= %(at)s;

UPDATE obligations_period SET closed_at = closes_at WHERE id = %(period)s;

INSERT INTO core_event (at, actor_label, action, target_type_id, target_id, target_label, organization_id,
                        from_state, to_state, changes, reason, request_id)
SELECT %(at)s, %(job)s, 'obligation_missed', %(obligation_type)s, o.id::text,
       left(g.name || ' ' || o.title, 200), g.id, 'pending', 'missed',
       jsonb_build_object('截止', to_char(o.due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS+00:00'),
                          '关闭', to_char(o.closes_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS+00:00')),
       '', ''
FROM obligations_obligation o JOIN accounts_organization g ON g.id = o.organization_id
WHERE o.period_id = %(period)s AND o.outcome = 'missed'
UNION ALL
SELECT %(at)s, %(job)s, 'period_closed', %(period_type)s, %(period)s::text, %(label)s || '周报', NULL, '', '',
       jsonb_build_object('按时', count(*) FILTER (WHERE outcome = 'on_time'),
                          '迟报', count(*) FILTER (WHERE outcome = 'late'),
                          '未报', count(*) FILTER (WHERE outcome = 'missed')), '', ''
FROM obligations_obligation WHERE period_id = %(period)s;

-- The missed weeks of each streak, in time order.
CREATE TEMP TABLE streak_week ON COMMIT DROP AS
SELECT o.*, p.weeks, p.starts_on, p.ends_on
FROM obligations_obligation o JOIN obligations_period p ON p.id = o.period_id
WHERE o.kind = 'weekly_report' AND o.outcome = 'missed' AND o.excused_at IS NULL AND o.closed_at <= %(at)s
  AND o.organization_id IN (SELECT organization_id FROM obligations_obligation
                            WHERE period_id = %(period)s AND outcome = 'missed' AND excused_at IS NULL)
  AND NOT EXISTS (SELECT FROM obligations_obligation f
                  WHERE f.organization_id = o.organization_id AND f.kind = 'weekly_report'
                    AND f.outcome IN ('on_time', 'late') AND f.closed_at <= %(at)s AND f.due_at >= o.due_at)
  AND NOT EXISTS (SELECT FROM supervision_caseevidence e JOIN supervision_case c ON c.id = e.case_id
                  WHERE e.obligation_id = o.id AND c.state = 'decided');

CREATE TEMP TABLE streak ON COMMIT DROP AS
SELECT s.*, g.name, g.supervisor_id,
       EXISTS (SELECT FROM obligations_obligation k
               WHERE k.organization_id = s.organization_id AND k.kind = 'weekly_report'
                 AND k.due_at > s.first_due AND k.due_at < s.last_due
                 AND (k.outcome = 'exempt' OR k.outcome = 'missed' AND k.excused_at IS NOT NULL)) AS spans
FROM (SELECT organization_id, sum(weeks) AS weeks, min(due_at) AS first_due, max(due_at) AS last_due,
             (array_agg(id ORDER BY due_at DESC))[1] AS obligation_id,
             (array_agg(title ORDER BY due_at DESC))[1] AS title
      FROM streak_week GROUP BY organization_id) s
JOIN accounts_organization g ON g.id = s.organization_id;

INSERT INTO reporting_streakwarning (obligation_id, weeks, warned_at)
SELECT obligation_id, weeks, %(at)s FROM streak WHERE weeks < %(limit)s ON CONFLICT DO NOTHING;

-- In what no case is open.
CREATE TEMP TABLE opened ON COMMIT DROP AS
WITH fresh AS (
  INSERT INTO supervision_case (organization_id, ground, state, flagged_at, facts, spans_exempt)
  SELECT organization_id, %(ground)s, 'flagged', %(at)s, '', spans FROM streak WHERE weeks >= %(limit)s
  ON CONFLICT DO NOTHING RETURNING id, organization_id)
SELECT fresh.id AS case_id, streak.* FROM fresh JOIN streak USING (organization_id);

INSERT INTO supervision_caseevidence (case_id, obligation_id, added_at, frozen)
SELECT c.case_id, w.id, %(at)s, jsonb_build_object(
  'obligation', w.id,
  'period', to_char(w.starts_on, 'IYYY"年第"IW"周"'),
  'key', w.key,
  'weeks', w.weeks,
  'starts_on', w.starts_on::text,
  'ends_on', w.ends_on::text,
  'due_at', to_char(w.due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS+00:00'),
  'closes_at', to_char(w.closes_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS+00:00'),
  'outcome', w.outcome,
  'filled_at', coalesce(to_char(w.filled_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS+00:00'), ''),
  'excused_at', '')
FROM opened c JOIN streak_week w USING (organization_id);

INSERT INTO core_event (at, actor_label, action, target_type_id, target_id, target_label, organization_id,
                        from_state, to_state, changes, reason, request_id)
SELECT %(at)s, %(job)s, 'case_flagged', %(case_type)s, case_id::text, left(name || '：' || %(ground_label)s, 200),
       organization_id, '', 'flagged', '{}', %(clause)s, ''
FROM opened;

-- Whom it concerns: the school's people, its supervisor's, the office's; more than five become one.
INSERT INTO core_notice (recipient_id, key, text, link, created_at, important)
WITH matter AS (
  SELECT organization_id, supervisor_id, 'warned' AS what, 'obligation:' || obligation_id || ':closed' AS key,
         left('预警：' || name || title || '已关闭，未收到，连续 ' || weeks || ' 周未报；'
              || '连续三周不填报周报的，可取消试点资格（' || %(clause)s || '）。仍可补报。', 500) AS text,
         replace(%(report_link)s, '0', obligation_id::text) AS link
  FROM streak WHERE weeks < %(limit)s
  UNION ALL
  SELECT organization_id, supervisor_id, 'flagged', 'case:' || case_id || ':flagged',
         name || '连续三周未报周报，已自动触发案件（' || %(clause)s || '）。',
         replace(%(case_link)s, '0', case_id::text)
  FROM opened
), told AS (
  SELECT u.id AS recipient_id, m.* FROM matter m JOIN accounts_user u USING (organization_id)
  WHERE u.is_active AND u.role IN ('school_contact', 'school_leader')
  UNION ALL
  SELECT u.id, m.* FROM matter m JOIN accounts_user u ON u.organization_id = m.supervisor_id
  WHERE u.is_active AND u.role = 'city_bureau'
  UNION ALL
  SELECT u.id, m.* FROM matter m CROSS JOIN accounts_user u WHERE u.is_active AND u.role = 'office'
), counted AS (
  SELECT *, count(*) OVER (PARTITION BY recipient_id, what) AS messages FROM told
)
SELECT recipient_id, key, text, link, %(at)s, true FROM counted WHERE messages <= 5
UNION ALL
SELECT DISTINCT recipient_id,
       CASE what WHEN 'warned' THEN 'warnings:' || %(period)s ELSE 'cases:' || %(minute)s END,
       CASE what WHEN 'warned' THEN %(label)s || '已关闭：' || messages || ' 所院校未报，已预警。'
            ELSE messages || ' 所院校连续三周未报周报，已自动触发案件（' || %(clause)s || '）。' END,
       CASE what WHEN 'warned' THEN %(list_link)s || '?period=' || %(key)s ELSE %(cases_link)s END,
       %(at)s, true
FROM counted WHERE messages > 5
ON CONFLICT DO NOTHING;
