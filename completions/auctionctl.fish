# fish completion for auctionctl, written by 'auctionctl completion fish'
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
