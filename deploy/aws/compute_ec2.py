"""Stack of plain EC2: machines that each run the API and all workers as containers, behind a balancer."""

import aws_cdk as cdk
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as balancing
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from servers import ServersStack

_WORKERS = ("decisions", "features", "offline", "readmodels", "evidence", "archive")


class Ec2Stack(cdk.Stack):
    def __init__(
        self, scope: Construct, name: str, *, servers: ServersStack, image: str, certificate: str,
        env: cdk.Environment,
    ) -> None:  # fmt: skip
        super().__init__(scope, name, env=env, description="Retrace: plain EC2")
        role = iam.Role(
            self, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
            managed_policies=[
                iam.ManagedPolicy.from_aws_managed_policy_name(each)
                for each in ("AmazonSSMManagedInstanceCore", "AmazonEC2ContainerRegistryReadOnly")
            ],
        )  # fmt: skip
        for each in servers.buckets.statements():
            role.add_to_policy(each)
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["secretsmanager:GetSecretValue"], resources=[servers.settings.ref]
            )
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["kafka:GetBootstrapBrokers"], resources=[servers.kafka_arn]
            )
        )
        template = ec2.LaunchTemplate(
            self, "Template", instance_type=ec2.InstanceType("m7i.2xlarge"),
            machine_image=ec2.MachineImage.latest_amazon_linux2023(), role=role,
            security_group=servers.members, require_imdsv2=True, http_put_response_hop_limit=2,
            user_data=_script(servers, image),
            block_devices=[ec2.BlockDevice(
                device_name="/dev/xvda",
                volume=ec2.BlockDeviceVolume.ebs(200, encrypted=True, volume_type=ec2.EbsDeviceVolumeType.GP3),
            )],
        )  # fmt: skip
        group = autoscaling.AutoScalingGroup(
            self, "Machines", vpc=servers.vpc, launch_template=template, min_capacity=2, max_capacity=4,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
            health_checks=autoscaling.HealthChecks.with_additional_checks(
                additional_types=[autoscaling.AdditionalHealthCheckType.ELB], grace_period=cdk.Duration.minutes(15)
            ),
            update_policy=autoscaling.UpdatePolicy.rolling_update(min_instances_in_service=1),
        )  # fmt: skip
        self._balancer(servers, group, certificate)

    def _balancer(
        self, servers: ServersStack, group: autoscaling.AutoScalingGroup, certificate: str
    ) -> None:
        """Within the network, over TLS: payments are sent by those who are in it."""
        guard = ec2.SecurityGroup(
            self,
            "BalancerGroup",
            vpc=servers.vpc,
            description="Requests for decisions",
            allow_all_outbound=False,
        )
        guard.add_ingress_rule(
            ec2.Peer.ipv4(servers.vpc.vpc_cidr_block), ec2.Port.tcp(443), "clients"
        )
        # Rules of the other stack's group belong to this one: else the two would need each other.
        ec2.CfnSecurityGroupEgress(
            self, "ToMachines", group_id=guard.security_group_id, ip_protocol="tcp", from_port=8000, to_port=8000,
            destination_security_group_id=servers.members.security_group_id, description="to the API",
        )  # fmt: skip
        ec2.CfnSecurityGroupIngress(
            self, "FromBalancer", group_id=servers.members.security_group_id, ip_protocol="tcp", from_port=8000, to_port=8000,
            source_security_group_id=guard.security_group_id, description="from the balancer",
        )  # fmt: skip
        accesses = s3.Bucket(
            self, "Accesses", enforce_ssl=True, versioned=True, encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL, removal_policy=cdk.RemovalPolicy.RETAIN,
            lifecycle_rules=[s3.LifecycleRule(expiration=cdk.Duration.days(365), abort_incomplete_multipart_upload_after=cdk.Duration.days(7))],
        )  # fmt: skip
        balancer = balancing.CfnLoadBalancer(
            self, "Balancer", scheme="internal", type="application",
            subnets=servers.vpc.select_subnets(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS).subnet_ids,
            security_groups=[guard.security_group_id],
            load_balancer_attributes=[
                balancing.CfnLoadBalancer.LoadBalancerAttributeProperty(key=key, value=value)
                for key, value in {
                    "deletion_protection.enabled": "true", "routing.http.drop_invalid_header_fields.enabled": "true",
                    "access_logs.s3.enabled": "true", "access_logs.s3.bucket": accesses.bucket_name,
                }.items()
            ],
        )  # fmt: skip
        accesses.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["s3:PutObject"],
                resources=[accesses.arn_for_objects(f"AWSLogs/{self.account}/*")],
                principals=[iam.ServicePrincipal("logdelivery.elasticloadbalancing.amazonaws.com")],
            )
        )
        target = balancing.CfnTargetGroup(
            self, "Target", port=8000, protocol="HTTP", vpc_id=servers.vpc.vpc_id, target_type="instance",
            health_check_path="/ready", health_check_interval_seconds=10, health_check_protocol="HTTP", health_check_enabled=True,
            target_group_attributes=[
                balancing.CfnTargetGroup.TargetGroupAttributeProperty(key="deregistration_delay.timeout_seconds", value="30")
            ],
        )  # fmt: skip
        balancing.CfnListener(
            self, "Listener", load_balancer_arn=balancer.ref, port=443, protocol="HTTPS",
            ssl_policy="ELBSecurityPolicy-TLS13-1-2-2021-06",
            certificates=[balancing.CfnListener.CertificateProperty(certificate_arn=certificate)],
            default_actions=[balancing.CfnListener.ActionProperty(type="forward", target_group_arn=target.ref)],
        )  # fmt: skip
        machines = group.node.default_child
        assert isinstance(machines, autoscaling.CfnAutoScalingGroup)
        machines.target_group_arns = [target.ref]


def _script(servers: ServersStack, image: str) -> ec2.UserData:
    """Settings from the secret into a file for root alone, then one container for each process."""
    data = ec2.UserData.for_linux()
    run = "docker run --detach --restart unless-stopped --read-only --tmpfs /tmp --cap-drop ALL --network host --env-file /run/retrace.env --volume /var/lib/retrace:/var/lib/retrace"
    data.add_commands(
        "set -euo pipefail",
        "dnf install -y docker jq && systemctl enable --now docker",
        "install -d -o 10001 -g 10001 /var/lib/retrace",
        "umask 077",
        f"aws secretsmanager get-secret-value --region {servers.region} --secret-id {servers.settings.ref} --query SecretString --output text | jq -r 'to_entries[] | \"\\(.key)=\\(.value)\"' >/run/retrace.env",
        f"echo KAFKA_BOOTSTRAP_SERVERS=$(aws kafka get-bootstrap-brokers --region {servers.region} --cluster-arn {servers.kafka_arn} --query BootstrapBrokerStringTls --output text) >>/run/retrace.env",
        f"echo 'RETRACE_ARCHIVE_URL=s3://{servers.buckets.archive.bucket_name}/archive?region={servers.region}' >>/run/retrace.env",
        f"echo 'RETRACE_MODELS_URL=s3://{servers.buckets.models.bucket_name}/models?region={servers.region}' >>/run/retrace.env",
        "echo KAFKA_SECURITY_PROTOCOL=SSL >>/run/retrace.env",
        "echo RETRACE_KAFKA_REPLICATION=3 >>/run/retrace.env && echo RETRACE_KAFKA_MIN_ISR=2 >>/run/retrace.env",
        f"aws ecr get-login-password --region {servers.region} | docker login --username AWS --password-stdin {image.partition('/')[0]} || true",
        f"{run.replace('--detach --restart unless-stopped', '--rm')} {image} prepare",
        f"{run} --name api --env RETRACE_INSTANCE=api --env RETRACE_API_MEMBER_URL=http://$(hostname -i):8000 {image} api",
        *(
            f"{run} --name worker-{worker} --env RETRACE_INSTANCE={worker} --env RETRACE_METRICS_HOST=0.0.0.0 --env RETRACE_METRICS_PORT={9100 + number} {image} worker {worker}"
            for number, worker in enumerate(_WORKERS)
        ),
    )
    return data
