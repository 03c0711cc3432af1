# What fish completes behind rdexec.
function __rdexec_namespaces
    for file in /etc/rdomain/*.conf /run/netns/*
        string replace -r '.*/' '' -- $file | string replace -r '\.conf$' '' | string replace -r '.*@' ''
    end
end
function __rdexec_vrfs
    for file in /etc/rdomain/*.conf
        string replace -r '.*/' '' -- $file | string replace -r '(@.*)?\.conf$' ''
    end
    for file in /sys/class/net/*/uevent
        string match -q '*DEVTYPE=vrf*' -- (cat $file); and basename (dirname $file)
    end
end
complete -c rdexec -s n -l netns -x -a '(__rdexec_namespaces)' -d 'the namespace'
complete -c rdexec -s v -l vrf -x -a '(__rdexec_vrfs)' -d 'the VRF'
complete -c rdexec -s c -l cgroup -x -d 'the cgroup of the VRF'
complete -c rdexec -s u -l user -x -a '(__fish_complete_users)' -d 'run as USER'
complete -c rdexec -l look -d 'say whether this process is there'
complete -c rdexec -x -a '(__fish_complete_subcommand --fcs-skip=2)'
