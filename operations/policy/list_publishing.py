"""Publishing of lists: faults of what files say, and entries from files to the log and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from commands.policy.lists.change import ChangeList, PublishedChange, change_list, list_changes
from commands.policy.topic import current_policy
from domain.cleaning.unclean import UncleanError
from domain.errors import InvalidInputError, NotFoundError
from domain.events import DeclaredList, ListChange, ListEntry, PolicyContent
from domain.policy.lists.declared import faults_of_list
from domain.policy.lists.published import hash_of_entries
from eventlog.port import EventLog
from host.clock import now_us
from operations.policy.list_files import Clean, Format, read_entries
from operations.policy.rule_files import RuleFiles, WrittenList


def lint_lists(found: RuleFiles, clean: Clean) -> None:
    """Adds the entries of files, and all faults of lists."""
    first: dict[str, WrittenList] = {}
    for each in found.lists:
        name = each.declared.name
        wrong = faults_of_list(each.declared)
        found.faults += (each.place(at).fault(f"{at} {message}") for at, message in wrong)
        same = first.setdefault(name, each)
        if same is not each:
            there = same.place("name")
            text = f"another list is called so, at {there.path}:{there.line}"
            found.faults.append(each.place("name").fault(text))
        elif each.file is not None and not wrong:
            try:
                found.entries[name], faults = read_entries(each.file, each.declared.of, clean)
                found.faults += faults
            except InvalidInputError as error:
                found.faults.append(each.place("file").fault(error.message))


@dataclass(frozen=True, slots=True)
class ListPublisher:
    """Publishes entries of lists to a log; `by` is who does."""

    log: EventLog
    clean: Clean
    by: str

    def change(self, name: str, file: Path, form: Format, change: ListChange, reason: str) -> bool:
        """Entries of a file into a list of the rules in force; False where they are so already.

        Raises NotFoundError for another list, InvalidInputError for faults of the file.
        """
        declared = self._declared(name)
        entries, faults = read_entries(file, declared.of, self.clean, form)
        if faults:
            raise InvalidInputError("FILE", "\n".join(map(str, ("not changed:", *faults[:20]))))
        return self._change(declared, change, entries, reason)

    def replace_all(self, content: PolicyContent, reason: str) -> bool:
        """The lists that take their entries from a folder, each at a position of its own; False
        where all are so already."""
        changed = False
        for each in content.lists:
            if (entries := content.entries.get(each.name)) is not None:
                changed |= self._change(each, "replace", entries, reason)
        return changed

    def differences(self, entries: Mapping[str, list[ListEntry]]) -> dict[str, tuple[str, int]]:
        """By list: (those of which version, how many instead), where they are other ones."""
        in_force = current_policy(self.log).lists.in_force
        found = {}
        for name, given in entries.items():
            now = in_force.get(name)
            if now is None or now.entries_hash != hash_of_entries(given):
                before = "none" if now is None else f"those of version {now.version}"
                found[name] = (before, len(given))
        return found

    def history(self, name: str) -> list[PublishedChange]:
        """Of one list, or of all for an empty name; the oldest first."""
        return list(list_changes(self.log, name))

    def find(self, name: str, written: str) -> list[PublishedChange]:
        """What was ever said of an entry. Raises NotFoundError, InvalidInputError."""
        try:
            texts = self.clean(self._declared(name).of, written)
        except UncleanError as error:
            raise InvalidInputError("VALUE", str(error)) from None
        return [each for text in texts for each in list_changes(self.log, name, text)]

    def _declared(self, name: str) -> DeclaredList:
        rules = current_policy(self.log).rules
        for each in rules.lists if rules else ():
            if each.name == name:
                return each
        raise NotFoundError("list of the rules in force", name)

    def _change(
        self, declared: DeclaredList, change: ListChange, entries: list[ListEntry], reason: str
    ) -> bool:
        command = ChangeList(
            name=declared.name,
            of=declared.of,
            change=change,
            entries=entries,
            reason=reason,
            by=self.by,
        )
        return change_list(self.log, command, now_us())
