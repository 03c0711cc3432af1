# What fish completes behind rdomain.
function __rdgen_domains
    for file in /etc/rdomain/*.conf /run/netns/*
        string replace -r '.*/' '' -- $file | string replace -r '\.conf$' ''
    end
end
set -l verbs up down reload confirm check list dump ps identify exec session watch
complete -c rdomain -f
complete -c rdomain -n "not __fish_seen_subcommand_from $verbs" -a "$verbs"
complete -c rdomain -n "not __fish_seen_subcommand_from $verbs" -l help -d 'how it is called'
complete -c rdomain -n "not __fish_seen_subcommand_from $verbs" -l version -d 'its version'
complete -c rdomain -n '__fish_seen_subcommand_from up down reload confirm check dump ps session' -a '(__rdgen_domains)'
complete -c rdomain -n '__fish_seen_subcommand_from exec; and test (count (commandline -opc)) -eq 2' -a '(__rdgen_domains)'
complete -c rdomain -n '__fish_seen_subcommand_from up down reload' -o n -d 'print it, and do nothing'
complete -c rdomain -n '__fish_seen_subcommand_from up down reload confirm check' -l all -d 'all domains'
complete -c rdomain -n '__fish_seen_subcommand_from up reload' -l try -x -d 'take it back after so many seconds'
complete -c rdomain -n '__fish_seen_subcommand_from check list ps identify' -l json -d 'as JSON'
complete -c rdomain -n '__fish_seen_subcommand_from check' -l self -d 'this process'
complete -c rdomain -n '__fish_seen_subcommand_from check' -l hold -d 'and hold'
complete -c rdomain -n '__fish_seen_subcommand_from identify' -a '(__fish_complete_pids)'
complete -c rdomain -n '__fish_seen_subcommand_from exec; and test (count (commandline -opc)) -gt 2' -a '(__fish_complete_subcommand --fcs-skip=3)'
complete -c rdomain -n '__fish_seen_subcommand_from watch' -a '(__fish_complete_subcommand --fcs-skip=2)'
