"""Code lifted out of a notebook's cells, as it stands there: a class or a function, and everything that it uses."""

import ast
import symtable
from collections.abc import Iterable

from books import Book


def lifted(book: Book, *names: str) -> str:
    """The text of a module with the definitions of these names and, of the rest of the notebook, what they need.

    A name that is defined twice is what its last definition makes of it, as when the notebook is run. Only imports, functions,
    classes and constants (in capitals) are taken: what a cell *does* stays there.

    KeyError for a name that no cell defines.
    """
    statements = [statement for cell in book.code for statement in cell.tree.body]
    where: dict[str, int] = {}
    for place, statement in enumerate(statements):
        for name in _bound(statement):
            where[name] = place
    if missing := [name for name in names if name not in where]:
        raise KeyError(f"{book} defines no {', '.join(missing)}")
    needed, waiting = set(names), list(names)
    while waiting:
        if isinstance(statement := statements[where[waiting.pop()]], ast.Import | ast.ImportFrom):
            continue
        text = ast.unparse(statement)
        new = (_globals(symtable.symtable(text, book.name, "exec")) & where.keys()) - needed
        waiting += new
        needed |= new
    places = sorted({where[name] for name in needed})
    return "\n\n".join(ast.unparse(_only(statements[place], needed)) for place in places) + "\n"


def _bound(statement: ast.stmt) -> Iterable[str]:
    """The names that a statement gives a meaning, if it is of a kind that is taken."""
    match statement:
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            return [(alias.asname or alias.name).partition(".")[0] for alias in aliases]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=[ast.Name() | ast.Tuple() as target]):
            return [node.id for node in ast.walk(target) if isinstance(node, ast.Name) and node.id.isupper()]
    return []


def _globals(table: symtable.SymbolTable) -> set[str]:
    """The names that a scope and those inside of it look up outside of all functions."""
    outside = table.get_type() == "module"
    found = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global() or outside}
    return found.union(*(_globals(inner) for inner in table.get_children()))


def _only(statement: ast.stmt, needed: set[str]) -> ast.stmt:
    """An import without the names that nobody needs; any other statement as it is."""
    if not isinstance(statement, ast.Import | ast.ImportFrom):
        return statement
    kept = [alias for alias in statement.names if (alias.asname or alias.name).partition(".")[0] in needed]
    if isinstance(statement, ast.Import):
        return ast.Import(names=kept)
    return ast.ImportFrom(module=statement.module, names=kept, level=statement.level)
