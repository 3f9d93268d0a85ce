"""Buckets of the archive and of models, and what a process may do with them."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct


class Buckets(Construct):
    def __init__(self, scope: Construct, name: str, *, key: kms.Key) -> None:
        super().__init__(scope, name)
        self._key = key
        self._logs = self._bucket(
            "Accesses", None, [s3.LifecycleRule(expiration=cdk.Duration.days(365))]
        )
        old = cdk.Duration.days(90)
        quiet = s3.Transition(
            storage_class=s3.StorageClass.INTELLIGENT_TIERING,
            transition_after=cdk.Duration.days(30),
        )
        self.archive = self._bucket(
            "Archive",
            key,
            [s3.LifecycleRule(noncurrent_version_expiration=old, transitions=[quiet])],
        )
        self.models = self._bucket(
            "Models", key, [s3.LifecycleRule(noncurrent_version_expiration=old)]
        )

    def _bucket(self, name: str, key: kms.Key | None, rules: list[s3.LifecycleRule]) -> s3.Bucket:
        abort = s3.LifecycleRule(abort_incomplete_multipart_upload_after=cdk.Duration.days(7))
        return s3.Bucket(
            self, name, versioned=True, enforce_ssl=True, encryption_key=key,
            # Logs of accesses are written by S3, which uses no key of ours.
            encryption=s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
            bucket_key_enabled=True if key else None,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL, lifecycle_rules=[*rules, abort],
            server_access_logs_bucket=self._logs if key else None,
            server_access_logs_prefix=f"{name.lower()}/" if key else None,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED if key else None,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )  # fmt: skip

    def statements(self) -> list[iam.PolicyStatement]:
        """Of least privilege: objects of the two prefixes, and no deletion of versions."""
        both = (self.archive, "archive"), (self.models, "models")
        return [
            iam.PolicyStatement(
                actions=[
                    "s3:GetObject",
                    "s3:PutObject",
                    "s3:DeleteObject",
                    "s3:AbortMultipartUpload",
                ],
                resources=[bucket.arn_for_objects(f"{prefix}/*") for bucket, prefix in both],
            ),
            iam.PolicyStatement(
                actions=["s3:ListBucket", "s3:GetBucketLocation"],
                resources=[bucket.bucket_arn for bucket, _ in both],
            ),
            iam.PolicyStatement(
                actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=[self._key.key_arn]
            ),
        ]
