# bash completion for auctionctl, written by 'auctionctl completion bash'
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
