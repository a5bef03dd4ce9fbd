"""``completion``: the script by which a shell completes auctionctl's command lines.

Rule: a script holds no knowledge of its own; it asks the program (:mod:`auctionctl.cli.completion.completer`), under
the name that was typed, so that it fits whatever version that is. Source: bash(1) Programmable Completion,
zshcompsys(1), fish's complete(1).
"""

from __future__ import annotations

import enum
import sys
from typing import Annotated, Final

import typer

from auctionctl.cli.exit_status import ExitStatus

app = typer.Typer(rich_markup_mode=None)


class Shell(enum.StrEnum):
    """The shells that there are scripts for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


BASH_SCRIPT: Final = r"""# bash completion for auctionctl, written by 'auctionctl completion bash'
#
# Install it as auctionctl in the directory of bash-completion's completions, or: source <(auctionctl completion bash)

_auctionctl() {
    local kind='' word program=${1/#\~/$HOME}
    COMPREPLY=()
    type -P "$program" >/dev/null || program=auctionctl
    while IFS=$'\t' read -r word _; do
        if [[ -z $kind ]]; then
            kind=$word
        else
            COMPREPLY+=("$word")
        fi
    done < <(_AUCTIONCTL_COMPLETE=bash command "$program" "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null </dev/null)
    case $kind in
        files)
            # Readline's own completion knows best how to quote the name of a file.
            compopt -o default 2>/dev/null || COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]#=}"))
            ;;
        directories)
            compopt -o dirnames 2>/dev/null || COMPREPLY=($(compgen -d -- "${COMP_WORDS[COMP_CWORD]#=}"))
            ;;
    esac
}

complete -F _auctionctl auctionctl
"""

ZSH_SCRIPT: Final = r"""#compdef auctionctl
# zsh completion for auctionctl, written by 'auctionctl completion zsh'
#
# Install it as _auctionctl in a directory of $fpath, or after compinit: source <(auctionctl completion zsh)

_auctionctl() {
    local kind line program=${(Q)words[1]}
    local -a lines described
    program=${program/#\~/$HOME}
    whence -p -- "$program" >/dev/null || program=auctionctl
    lines=("${(@f)$(
        _AUCTIONCTL_COMPLETE=zsh command "$program" "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null </dev/null
    )}")
    kind=$lines[1]
    case $kind in
        words)
            for line in "${(@)lines[2,-1]}"; do
                [[ -n $line ]] || continue
                described+=("${${line%%$'\t'*}//:/\\:}${${line#*$'\t'}:+:${line#*$'\t'}}")
            done
            (( $#described )) && _describe -t values value described
            ;;
        files)
            [[ $PREFIX == -*=* ]] && compset -P '*='
            _files
            ;;
        directories)
            [[ $PREFIX == -*=* ]] && compset -P '*='
            _files -/
            ;;
    esac
}

# Autoloaded from $fpath, this file is the body of the function at its first call; sourced, it has yet to be registered.
if [[ $funcstack[1] == _auctionctl ]]; then
    _auctionctl "$@"
elif (( $+functions[compdef] )); then
    compdef _auctionctl auctionctl
fi
"""

FISH_SCRIPT: Final = r"""# fish completion for auctionctl, written by 'auctionctl completion fish'
#
# Install it as auctionctl.fish in ~/.config/fish/completions, or: auctionctl completion fish | source

function __auctionctl_complete
    set -l words (commandline -opc)
    set -l token (commandline -ct)
    set -l program $words[1]
    set -e words[1]
    command -q -- $program; or set program auctionctl
    set -l lines (env _AUCTIONCTL_COMPLETE=fish $program $words "$token" 2>/dev/null </dev/null)
    set -l kind $lines[1]
    set -e lines[1]
    switch "$kind"
        case words
            for line in $lines
                echo $line
            end
        case files
            __fish_complete_path (string replace -r -- '^-[^=]*=' '' "$token")
        case directories
            __fish_complete_directories (string replace -r -- '^-[^=]*=' '' "$token")
    end
end

complete --command auctionctl --no-files --arguments '(__auctionctl_complete)'
"""

SCRIPTS: Final = {Shell.BASH: BASH_SCRIPT, Shell.ZSH: ZSH_SCRIPT, Shell.FISH: FISH_SCRIPT}

FILE_NAMES: Final = {Shell.BASH: "auctionctl.bash", Shell.ZSH: "_auctionctl", Shell.FISH: "auctionctl.fish"}
"""What the scripts are called in the repository; zsh and fish want these names."""


@app.command(epilog="Example: auctionctl completion zsh > ~/.zfunc/_auctionctl")
def completion(shell: Annotated[Shell, typer.Argument(help="Your shell.")]) -> int:
    """Write the script by which a shell completes command lines to stdout."""
    sys.stdout.write(SCRIPTS[shell])
    return ExitStatus.OK
