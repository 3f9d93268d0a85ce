"""The naive features that every engine is compared with."""
