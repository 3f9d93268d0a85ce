"""Stack of EKS: a private cluster and its nodes; deploy/k8s/overlays/prod is applied there."""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_eks as eks
from aws_cdk import aws_iam as iam
from constructs import Construct

from servers import ServersStack

_ADDONS = ("vpc-cni", "coredns", "kube-proxy", "eks-pod-identity-agent", "aws-ebs-csi-driver")


class EksStack(cdk.Stack):
    def __init__(
        self, scope: Construct, name: str, *, servers: ServersStack, env: cdk.Environment
    ) -> None:
        super().__init__(scope, name, env=env, description="Retrace: EKS")
        subnets = servers.vpc.select_subnets(
            subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS
        ).subnet_ids
        self._cluster = eks.CfnCluster(
            self, "Cluster", name="retrace", version="1.34",
            role_arn=self._role("ClusterRole", "eks.amazonaws.com", "AmazonEKSClusterPolicy").role_arn,
            resources_vpc_config=eks.CfnCluster.ResourcesVpcConfigProperty(
                subnet_ids=subnets, security_group_ids=[servers.members.security_group_id],
                endpoint_private_access=True, endpoint_public_access=False,
            ),
            encryption_config=[eks.CfnCluster.EncryptionConfigProperty(
                provider=eks.CfnCluster.ProviderProperty(key_arn=servers.key.key_arn), resources=["secrets"]
            )],
            access_config=eks.CfnCluster.AccessConfigProperty(authentication_mode="API"),
            logging=eks.CfnCluster.LoggingProperty(cluster_logging=eks.CfnCluster.ClusterLoggingProperty(
                enabled_types=[eks.CfnCluster.LoggingTypeConfigProperty(type=each)
                    for each in ("api", "audit", "authenticator", "controllerManager", "scheduler")]
            )),
        )  # fmt: skip
        self._nodes(servers, subnets)
        for addon in _ADDONS:
            eks.CfnAddon(self, f"Addon-{addon}", addon_name=addon, cluster_name=self._cluster.ref)
        self._identity("Processes", "retrace", "retrace", servers.buckets.statements())
        # The External Secrets operator, which makes the Secret retrace-secrets.
        reads = [
            iam.PolicyStatement(actions=["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"], resources=[servers.settings.ref]),
            iam.PolicyStatement(actions=["kms:Decrypt"], resources=[servers.key.key_arn]),
        ]  # fmt: skip
        self._identity("Secrets", "external-secrets", "external-secrets", reads)

    def _role(self, name: str, service: str, *managed: str) -> iam.Role:
        return iam.Role(
            self, name, assumed_by=iam.ServicePrincipal(service),
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(each) for each in managed],
        )  # fmt: skip

    def _nodes(self, servers: ServersStack, subnets: list[str]) -> None:
        role = self._role(
            "NodeRole", "ec2.amazonaws.com", "AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy",
            "AmazonEC2ContainerRegistryReadOnly", "service-role/AmazonEBSCSIDriverPolicy",
        )  # fmt: skip
        template = ec2.CfnLaunchTemplate(
            self, "NodeTemplate",
            launch_template_data=ec2.CfnLaunchTemplate.LaunchTemplateDataProperty(
                security_group_ids=[servers.members.security_group_id, self._cluster.attr_cluster_security_group_id],
                # One hop: pods do not reach the credentials of their node.
                metadata_options=ec2.CfnLaunchTemplate.MetadataOptionsProperty(http_tokens="required", http_put_response_hop_limit=1),
                block_device_mappings=[ec2.CfnLaunchTemplate.BlockDeviceMappingProperty(
                    device_name="/dev/xvda",
                    ebs=ec2.CfnLaunchTemplate.EbsProperty(volume_size=100, volume_type="gp3", encrypted=True),
                )],
            ),
        )  # fmt: skip
        eks.CfnNodegroup(
            self, "Nodes", cluster_name=self._cluster.ref, node_role=role.role_arn, subnets=subnets,
            instance_types=["m7i.xlarge"], ami_type="AL2023_x86_64_STANDARD",
            scaling_config=eks.CfnNodegroup.ScalingConfigProperty(min_size=3, desired_size=3, max_size=8),
            launch_template=eks.CfnNodegroup.LaunchTemplateSpecificationProperty(
                id=template.ref, version=template.attr_latest_version_number
            ),
        )  # fmt: skip

    def _identity(
        self, name: str, namespace: str, account: str, statements: list[iam.PolicyStatement]
    ) -> None:
        principal = iam.ServicePrincipal("pods.eks.amazonaws.com")
        role = iam.Role(self, f"{name}Role", assumed_by=principal.with_session_tags())
        for each in statements:
            role.add_to_policy(each)
        eks.CfnPodIdentityAssociation(
            self, f"{name}Identity", cluster_name=self._cluster.ref, namespace=namespace,
            service_account=account, role_arn=role.role_arn,
        )  # fmt: skip
