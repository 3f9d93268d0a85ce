"""The dashboards: what each panel asks Prometheus."""

from panels import Dashboard, Panel

_SCORE = 'route="/score",method="POST"'


def _quantile(share: float, metric: str, by: str = "", labels: str = "") -> str:
    kept = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({kept}) (rate({metric}_bucket{{{labels}}}[5m])))"


DECISIONS = Dashboard(
    "retrace-decisions",
    "Retrace: decisions",
    (
        Panel(
            "Decisions a second",
            [("sum(rate(retrace_decisions_total[5m]))", "all")],
            "ops",
            "stat",
            width=6,
        ),
        Panel(
            "Answered without an error of ours, 1 h",
            [("1 - retrace:not_answered:ratio_rate1h", "")],
            "percentunit",
            "stat",
            width=6,
        ),
        Panel(
            "Within 100 ms, 1 h",
            [("1 - retrace:not_in_time:ratio_rate1h", "")],
            "percentunit",
            "stat",
            width=6,
        ),
        Panel(
            "By the model, 1 h",
            [("1 - retrace:not_in_full:ratio_rate1h", "")],
            "percentunit",
            "stat",
            width=6,
        ),
        Panel(
            "Requests by status",
            [
                (
                    f"sum by (status) (rate(retrace_http_request_seconds_count{{{_SCORE}}}[5m]))",
                    "{{status}}",
                )
            ],
            "reqps",
        ),
        Panel(
            "Time to answer",
            [
                (_quantile(q, "retrace_http_request_seconds", labels=_SCORE), f"p{q * 100:g}")
                for q in (0.5, 0.95, 0.99)
            ],
            "s",
        ),
        Panel(
            "Time by step, p99",
            [(_quantile(0.99, "retrace_decision_step_seconds", "step"), "{{step}}")],
            "s",
        ),
        Panel(
            "Outcomes",
            [("sum by (outcome) (rate(retrace_decisions_total[5m]))", "{{outcome}}")],
            "ops",
        ),
        Panel("Paths", [("sum by (path) (rate(retrace_decisions_total[5m]))", "{{path}}")], "ops"),
        Panel(
            "Flags", [("sum by (flag) (rate(retrace_decision_flags_total[5m]))", "{{flag}}")], "ops"
        ),
        Panel(
            "Decisions being made, and waiting",
            [
                ("sum by (instance) (retrace_scores_running)", "running {{instance}}"),
                ("sum by (instance) (retrace_scores_waiting)", "waiting {{instance}}"),
                ("sum by (instance) (retrace_scores_at_once)", "most {{instance}}"),
            ],
        ),
        Panel(
            "Other routes",
            [
                (
                    'sum by (route) (rate(retrace_http_request_seconds_count{route!="/score"}[5m]))',
                    "{{route}}",
                )
            ],
            "reqps",
        ),
        Panel(
            "Objectives burnt, 6 h",
            [
                ("retrace:not_answered:ratio_rate6h / 0.001", "answered"),
                ("retrace:not_in_time:ratio_rate6h / 0.01", "in time"),
                ("retrace:not_in_full:ratio_rate6h / 0.01", "in full"),
            ],
            text="1 uses the budget of 30 days in 30 days.",
        ),
    ),
)
WORKERS = Dashboard(
    "retrace-workers",
    "Retrace: log and workers",
    (
        Panel(
            "Records behind",
            [("sum by (worker, topic) (retrace_worker_lag_records)", "{{worker}} {{topic}}")],
        ),
        Panel(
            "Records a second",
            [
                (
                    "sum by (worker, topic) (rate(retrace_worker_records_total[5m]))",
                    "{{worker}} {{topic}}",
                )
            ],
            "ops",
        ),
        Panel(
            "Time of a batch, p99",
            [(_quantile(0.99, "retrace_worker_batch_seconds", "worker"), "{{worker}}")],
            "s",
        ),
        Panel(
            "Log growth, records a second",
            [
                (
                    'sum by (topic) (rate(retrace_worker_log_end{worker="readmodels"}[5m]))',
                    "{{topic}}",
                )
            ],
            "ops",
        ),
        Panel(
            "API behind the log",
            [
                (
                    'sum(max by (partition) (retrace_worker_log_end{topic="retrace.transactions.g1"})) - sum(max by (partition) (retrace_ledger_position))',
                    "owners",
                )
            ],
        ),
        Panel(
            "Set aside, an hour",
            [("sum by (worker) (increase(retrace_worker_dead_lettered_total[1h]))", "{{worker}}")],
        ),
        Panel(
            "Waits for servers, 5 min",
            [("sum by (worker) (increase(retrace_worker_waits_total[5m]))", "{{worker}}")],
        ),
        Panel(
            "Assignments, an hour",
            [("sum by (worker) (increase(retrace_worker_assignments_total[1h]))", "{{worker}}")],
        ),
        Panel("Void records met by the API", [("max(retrace_void_records)", "")]),
        Panel(
            "Processors in use",
            [('rate(process_cpu_seconds_total{job=~"retrace-.*"}[5m])', "{{job}} {{instance}}")],
        ),
        Panel(
            "Memory",
            [('process_resident_memory_bytes{job=~"retrace-.*"}', "{{job}} {{instance}}")],
            "bytes",
        ),
        Panel("Open files", [('process_open_fds{job=~"retrace-.*"}', "{{job}} {{instance}}")]),
    ),
)
FRAUD = Dashboard(
    "retrace-fraud",
    "Retrace: fraud, money and models",
    (
        Panel(
            "Approved",
            [
                (
                    'sum(rate(retrace_decisions_total{outcome="approve"}[1h])) / sum(rate(retrace_decisions_total[1h]))',
                    "",
                )
            ],
            "percentunit",
            "stat",
            width=6,
        ),
        Panel(
            "Declined",
            [
                (
                    'sum(rate(retrace_decisions_total{outcome="decline"}[1h])) / sum(rate(retrace_decisions_total[1h]))',
                    "",
                )
            ],
            "percentunit",
            "stat",
            width=6,
        ),
        Panel(
            "Money decided, an hour",
            [("sum(increase(retrace_decided_money_minor_total[1h])) / 100", "")],
            "currencyUSD",
            "stat",
            width=6,
        ),
        Panel(
            "Health of the model",
            [("max by (model) (retrace_model_health)", "{{model}}")],
            kind="stat",
            text="0 unknown, 1 steady, 2 warn, 3 alert",
            width=6,
        ),
        Panel(
            "Outcomes, share",
            [
                (
                    "sum by (outcome) (rate(retrace_decisions_total[15m])) / ignoring(outcome) group_left sum(rate(retrace_decisions_total[15m]))",
                    "{{outcome}}",
                )
            ],
            "percentunit",
        ),
        Panel(
            "Money by outcome, an hour",
            [
                (
                    "sum by (outcome) (increase(retrace_decided_money_minor_total[1h])) / 100",
                    "{{outcome}}",
                )
            ],
            "currencyUSD",
        ),
        Panel(
            "Drift of scores",
            [
                ("retrace_model_score_drift", "PSI {{model}}"),
                ("retrace_model_score_ks", "KS {{model}}"),
            ],
        ),
        Panel("Features that drifted most", [("topk(10, retrace_model_psi)", "{{feature}}")]),
        Panel(
            "Precision and recall",
            [
                ("retrace_model_precision", "precision"),
                ("retrace_model_precision_expected", "precision by its card"),
                ("retrace_model_recall", "recall"),
                ("retrace_model_recall_expected", "recall by its card"),
            ],
            "percentunit",
        ),
        Panel("Observed over expected frauds", [("retrace_model_calibration_ratio", "{{model}}")]),
        Panel(
            "Share of fraud, bounds",
            [
                ("retrace_model_fraud_share_least", "least"),
                ("retrace_model_fraud_share_most", "most"),
            ],
            "percentunit",
        ),
        Panel(
            "Served values other than the ideal ones",
            [
                (
                    "topk(10, sum by (feature) (retrace_feature_values_different) / (sum by (feature) (retrace_feature_values_compared) > 0))",
                    "{{feature}}",
                )
            ],
            "percentunit",
        ),
        Panel(
            "Past decisions that do not follow from the log",
            [
                ("max(retrace_replay_decisions_different)", "different"),
                ("max(retrace_replay_decisions_compared)", "compared"),
            ],
            text="Of the newest turn of the scheduled replay.",
        ),
        Panel(
            "Since a turn of the replay was proven",
            [("time() - max(retrace_replay_proven_seconds)", "")],
            "s",
        ),
    ),
)
DASHBOARDS = (DECISIONS, WORKERS, FRAUD)
