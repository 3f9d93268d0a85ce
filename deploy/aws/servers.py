"""Stack of the servers: network, keys, Kafka, Redis, PostgreSQL, MongoDB, buckets, secrets, alarms."""

import aws_cdk as cdk
from aws_cdk import aws_docdb as docdb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_msk as msk
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secrets
from constructs import Construct

from alarms import Alarms
from buckets import Buckets


class ServersStack(cdk.Stack):
    """`members` is the security group of Retrace's processes, the only one that reaches servers."""

    def __init__(
        self, scope: Construct, name: str, *, zones: list[str], env: cdk.Environment
    ) -> None:
        super().__init__(scope, name, env=env, description="Retrace: network, servers, secrets")
        self.key = kms.Key(
            self, "Key", enable_key_rotation=True, description="Everything of Retrace at rest",
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )  # fmt: skip
        self._let_logs_use_the_key()
        self.vpc = self._network(zones)
        self.members = ec2.SecurityGroup(
            self,
            "Members",
            vpc=self.vpc,
            description="Processes of Retrace",
            allow_all_outbound=True,
        )
        # API processes forward requests to each other.
        self.members.add_ingress_rule(self.members, ec2.Port.tcp(8000), "API processes")
        self.buckets = Buckets(self, "Buckets", key=self.key)
        self._kafka = self._make_kafka()
        self._redis, self._redis_token = self._make_redis()
        self._postgres = self._make_postgres()
        self._mongodb = self._make_mongodb()
        self.kafka_arn = self._kafka.attr_arn
        self.settings = self._make_settings()
        Alarms(
            self, "Alarms", key=self.key, kafka=str(self._kafka.cluster_name),
            redis=str(self._redis.replication_group_id), postgres=self._postgres,
            mongodb=self._mongodb,
        )  # fmt: skip
        self._outputs()

    def _let_logs_use_the_key(self) -> None:
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                actions=[
                    "kms:Encrypt*",
                    "kms:Decrypt*",
                    "kms:ReEncrypt*",
                    "kms:GenerateDataKey*",
                    "kms:Describe*",
                ],
                resources=["*"],
                principals=[iam.ServicePrincipal(f"logs.{self.region}.amazonaws.com")],
                conditions={
                    "ArnLike": {
                        "kms:EncryptionContext:aws:logs:arn": f"arn:{self.partition}:logs:{self.region}:{self.account}:log-group:*"
                    }
                },
            )
        )

    def _network(self, zones: list[str]) -> ec2.Vpc:
        """Public subnets hold NAT alone, private ones processes, isolated ones servers."""
        group = self.log_group("Flows", days=logs.RetentionDays.ONE_YEAR)
        subnet = ec2.SubnetConfiguration
        vpc = ec2.Vpc(
            self, "Vpc", ip_addresses=ec2.IpAddresses.cidr("10.0.0.0/16"), availability_zones=zones,
            nat_gateways=len(zones), restrict_default_security_group=False,
            subnet_configuration=[
                subnet(name="public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=24, map_public_ip_on_launch=False),
                subnet(name="processes", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=20),
                subnet(name="servers", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24),
            ],
            flow_logs={"All": ec2.FlowLogOptions(destination=ec2.FlowLogDestination.to_cloud_watch_logs(group))},
        )  # fmt: skip
        vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        return vpc

    def log_group(
        self, name: str, days: logs.RetentionDays = logs.RetentionDays.ONE_YEAR
    ) -> logs.LogGroup:
        return logs.LogGroup(
            self, name, retention=days, encryption_key=self.key,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )  # fmt: skip

    def _guarded(self, name: str, *ports: int) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self,
            f"{name}Group",
            vpc=self.vpc,
            description=f"{name} of Retrace",
            allow_all_outbound=False,
        )
        for port in ports:
            group.add_ingress_rule(self.members, ec2.Port.tcp(port), "processes of Retrace")
        return group

    @property
    def _isolated(self) -> ec2.SubnetSelection:
        return ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)

    def _make_kafka(self) -> msk.CfnCluster:
        """Three copies of each record, two of which acknowledge it."""
        group = self._guarded("Kafka", 9094)
        # Brokers speak to each other.
        group.add_ingress_rule(group, ec2.Port.all_tcp(), "brokers")
        group.add_egress_rule(group, ec2.Port.all_tcp(), "brokers")
        configuration = msk.CfnConfiguration(
            self, "KafkaConfiguration", name="retrace", kafka_versions_list=["3.9.x.kraft"],
            server_properties="\n".join([
                "auto.create.topics.enable=false", "default.replication.factor=3",
                "min.insync.replicas=2", "unclean.leader.election.enable=false",
            ]),
        )  # fmt: skip
        flags = msk.CfnCluster
        return msk.CfnCluster(
            self, "Kafka", cluster_name="retrace", kafka_version="3.9.x.kraft", number_of_broker_nodes=3,
            broker_node_group_info=flags.BrokerNodeGroupInfoProperty(
                client_subnets=self.vpc.select_subnets(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED).subnet_ids,
                instance_type="kafka.m7g.large", security_groups=[group.security_group_id],
                storage_info=flags.StorageInfoProperty(
                    ebs_storage_info=flags.EBSStorageInfoProperty(volume_size=200)
                ),
            ),
            client_authentication=flags.ClientAuthenticationProperty(
                unauthenticated=flags.UnauthenticatedProperty(enabled=True)
            ),
            configuration_info=flags.ConfigurationInfoProperty(
                arn=configuration.attr_arn, revision=1
            ),
            encryption_info=flags.EncryptionInfoProperty(
                encryption_at_rest=flags.EncryptionAtRestProperty(data_volume_kms_key_id=self.key.key_arn),
                encryption_in_transit=flags.EncryptionInTransitProperty(
                    client_broker="TLS", in_cluster=True
                ),
            ),
            enhanced_monitoring="PER_TOPIC_PER_BROKER",
            logging_info=flags.LoggingInfoProperty(
                broker_logs=flags.BrokerLogsProperty(
                    cloud_watch_logs=flags.CloudWatchLogsProperty(
                        enabled=True, log_group=self.log_group("KafkaLogs").log_group_name
                    )
                )
            ),
        )  # fmt: skip

    def _make_redis(self) -> tuple[elasticache.CfnReplicationGroup, secrets.Secret]:
        token = self._password("RedisToken")
        subnets = elasticache.CfnSubnetGroup(
            self, "RedisSubnets", description="Redis of Retrace",
            subnet_ids=self.vpc.select_subnets(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED).subnet_ids,
        )  # fmt: skip
        parameters = elasticache.CfnParameterGroup(
            self, "RedisParameters", cache_parameter_group_family="valkey8",
            description="States are never evicted", properties={"maxmemory-policy": "noeviction"},
        )  # fmt: skip
        group = elasticache.CfnReplicationGroup(
            self, "Redis", replication_group_description="Online states of Retrace",
            engine="valkey", engine_version="8.0", cache_node_type="cache.r7g.large",
            num_cache_clusters=2, automatic_failover_enabled=True, multi_az_enabled=True,
            at_rest_encryption_enabled=True, kms_key_id=self.key.key_arn,
            transit_encryption_enabled=True, auth_token=token.secret_value.unsafe_unwrap(),
            cache_parameter_group_name=parameters.ref, cache_subnet_group_name=subnets.ref,
            security_group_ids=[self._guarded("Redis", 6379).security_group_id],
            snapshot_retention_limit=7, auto_minor_version_upgrade=True,
        )  # fmt: skip
        return group, token

    def _make_postgres(self) -> rds.DatabaseInstance:
        engine = rds.DatabaseInstanceEngine.postgres(
            version=rds.PostgresEngineVersion.of("17.6", "17")
        )
        return rds.DatabaseInstance(
            self, "Postgres", engine=engine, database_name="retrace",
            credentials=rds.Credentials.from_password(
                "retrace", self._password("PostgresPassword").secret_value
            ),
            instance_type=ec2.InstanceType("r7g.large"), vpc=self.vpc, vpc_subnets=self._isolated,
            security_groups=[self._guarded("Postgres", 5432)], multi_az=True,
            allocated_storage=200, max_allocated_storage=2000, storage_type=rds.StorageType.GP3,
            storage_encrypted=True, storage_encryption_key=self.key,
            backup_retention=cdk.Duration.days(14), deletion_protection=True,
            removal_policy=cdk.RemovalPolicy.SNAPSHOT, copy_tags_to_snapshot=True,
            iam_authentication=True, auto_minor_version_upgrade=True,
            enable_performance_insights=True, performance_insight_encryption_key=self.key,
            monitoring_interval=cdk.Duration.seconds(60),
            cloudwatch_logs_exports=["postgresql", "upgrade"],
            parameters={"log_min_duration_statement": "1000", "rds.force_ssl": "1", "log_statement": "ddl"},
        )  # fmt: skip

    def _make_mongodb(self) -> docdb.DatabaseCluster:
        return docdb.DatabaseCluster(
            self, "Mongodb",
            master_user=docdb.Login(
                username="retrace", password=self._password("MongodbPassword").secret_value
            ),
            engine_version="5.0.0", instances=2, instance_type=ec2.InstanceType("r6g.large"), vpc=self.vpc,
            vpc_subnets=self._isolated, security_group=self._guarded("Mongodb", 27017), port=27017,
            storage_encrypted=True, kms_key=self.key, deletion_protection=True,
            removal_policy=cdk.RemovalPolicy.SNAPSHOT,
            backup=docdb.BackupProps(retention=cdk.Duration.days(14)),
            export_audit_logs_to_cloud_watch=True, export_profiler_logs_to_cloud_watch=True,
            parameter_group=docdb.ClusterParameterGroup(
                self, "MongodbParameters", family="docdb5.0",
                parameters={"tls": "enabled", "audit_logs": "enabled", "profiler": "enabled"},
            ),
        )  # fmt: skip

    def _password(self, name: str) -> secrets.Secret:
        """Made by Secrets Manager, of letters and digits, which URLs take as they are."""
        return secrets.Secret(
            self, name, encryption_key=self.key, removal_policy=cdk.RemovalPolicy.RETAIN,
            generate_secret_string=secrets.SecretStringGenerator(
                exclude_punctuation=True, password_length=32
            ),
        )  # fmt: skip

    def _value(self, name: str) -> str:
        found = self.node.find_child(name)
        assert isinstance(found, secrets.Secret)
        return found.secret_value.unsafe_unwrap()

    def _make_settings(self) -> secrets.CfnSecret:
        """One secret with the variables that hold passwords and keys, by their names."""
        for key in ("TokenKey", "DigestKey", "DeadLetterKey"):
            self._password(key)
        postgres, mongodb = self._postgres, self._mongodb
        values = {
            "DATABASE_URL": f"postgresql+psycopg://retrace:{self._value('PostgresPassword')}@{postgres.db_instance_endpoint_address}:5432/retrace?sslmode=require",
            "REDIS_URL": f"rediss://:{self._value('RedisToken')}@{self._redis.attr_primary_end_point_address}:6379/0",
            "MONGODB_URL": f"mongodb://retrace:{self._value('MongodbPassword')}@{mongodb.cluster_endpoint.hostname}:27017/retrace?tls=true&retryWrites=false&authSource=admin",
            "RETRACE_TOKEN_KEY": self._value("TokenKey"),
            "RETRACE_DIGEST_KEY": self._value("DigestKey"),
            "RETRACE_DEAD_LETTER_KEY": self._value("DeadLetterKey"),
        }
        return secrets.CfnSecret(
            self, "Settings", name="retrace/settings", kms_key_id=self.key.key_arn,
            description="Settings of Retrace that are secret", secret_string=self.to_json_string(values),
        )  # fmt: skip

    def _outputs(self) -> None:
        """What is no secret of the settings; env.example names where each is from."""
        archive, models = self.buckets.archive, self.buckets.models
        for name, value in {
            "ArchiveUrl": f"s3://{archive.bucket_name}/archive?region={self.region}",
            "ModelsUrl": f"s3://{models.bucket_name}/models?region={self.region}",
            "KafkaCluster": self._kafka.attr_arn,
            "SettingsSecret": self.settings.ref,
        }.items():
            cdk.CfnOutput(self, name, value=value)
