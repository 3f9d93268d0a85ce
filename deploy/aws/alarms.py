"""CloudWatch alarms of the servers; those of Retrace itself are Prometheus rules."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_docdb as docdb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from aws_cdk import aws_sns as sns
from constructs import Construct

_GIB = 1024**3


class Alarms(Construct):
    """All tell one topic, to which nobody is subscribed yet."""

    def __init__(
        self, scope: Construct, name: str, *, key: kms.Key, kafka: str, redis: str,
        postgres: rds.DatabaseInstance, mongodb: docdb.DatabaseCluster,
    ) -> None:  # fmt: skip
        super().__init__(scope, name)
        self._topic = sns.Topic(self, "Topic", master_key=key, enforce_ssl=True)
        five = Duration.minutes(5)
        self._alarm("PostgresBusy", postgres.metric_cpu_utilization(period=five), 85)
        self._alarm(
            "PostgresFull", postgres.metric_free_storage_space(period=five), 20 * _GIB, below=True
        )
        self._alarm("MongodbBusy", mongodb_cpu(mongodb), 85)
        cluster = {"Cluster Name": kafka}
        self._alarm(
            "KafkaUnderReplicated", _metric("AWS/Kafka", "UnderReplicatedPartitions", cluster), 0
        )
        self._alarm("KafkaOffline", _metric("AWS/Kafka", "OfflinePartitionsCount", cluster), 0)
        self._alarm("KafkaFull", _metric("AWS/Kafka", "KafkaDataLogsDiskUsed", cluster), 75)
        group = {"ReplicationGroupId": redis}
        self._alarm(
            "RedisFull", _metric("AWS/ElastiCache", "DatabaseMemoryUsagePercentage", group), 80
        )
        self._alarm("RedisEvicts", _metric("AWS/ElastiCache", "Evictions", group), 0)

    def _alarm(
        self, name: str, metric: cloudwatch.IMetric, limit: float, below: bool = False
    ) -> None:
        operator = cloudwatch.ComparisonOperator
        alarm = cloudwatch.Alarm(
            self, name, metric=metric, threshold=limit, evaluation_periods=3,
            comparison_operator=operator.LESS_THAN_THRESHOLD if below else operator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.MISSING,
        )  # fmt: skip
        alarm.add_alarm_action(actions.SnsAction(self._topic))


def mongodb_cpu(cluster: docdb.DatabaseCluster) -> cloudwatch.Metric:
    return _metric(
        "AWS/DocDB", "CPUUtilization", {"DBClusterIdentifier": cluster.cluster_identifier}
    )


def _metric(namespace: str, name: str, dimensions: dict[str, str]) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace, metric_name=name, dimensions_map=dimensions, statistic="Maximum",
        period=Duration.minutes(5),
    )  # fmt: skip
