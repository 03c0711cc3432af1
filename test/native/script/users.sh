#!/bin/sh
# shellcheck disable=SC2016 # for other shells
# Users of the domain work, by each tool, and what they try.
inode=$(stat -Lc %i /run/netns/work)
alice() { (cd /home/alice && runuser -u alice -- env A='b c' sh -c "$1"); }
look='readlink /proc/self/ns/net; id -un; id -Gn; pwd; echo "$A" $RDOMAIN $HOME; umask; grep -c "^CapEff:.0*$" /proc/self/status'
want="net:[$inode]
alice
alice netusers
/home/alice
b c work /home/alice
0027
1"
usermod -aG netusers alice
got=$(alice "umask 027; rdomain exec work -- sh -c '$look'")
ok "sudo: all is as before [$got]" [ "$got" = "$want" ]
got=$(alice "umask 027; pkexec /usr/libexec/rdomain-exec \$\$ work -- sh -c '$look'; exit \$?")
ok "pkexec: all is as before [$got]" [ "$got" = "$want" ]
groupadd -f users; usermod -aG users alice; want=$(echo "$want" | sed 's/^alice netusers/alice users netusers/')
cp /etc/doas.d/rdgen.conf /etc/doas.conf; chmod 0400 /etc/doas.conf
ok "doas: reads its rule" doas -C /etc/doas.conf
got=$(alice "umask 027; doas /usr/libexec/rdomain-exec \$\$ work -- sh -c '$look'; exit \$?")
ok "doas: all is as before [$got]" [ "$got" = "$want" ]
chmod u-s /usr/bin/sudo
got=$(alice "umask 027; rdomain exec work -- sh -c '$look'")
ok "doas is asked where there is no sudo [$got]" [ "$got" = "$want" ]
chmod u-s /usr/bin/doas
got=$(alice "umask 027; rdomain exec work -- sh -c '$look'")
ok "and pkexec where there is no doas [$got]" [ "$got" = "$want" ]
chmod u+s /usr/bin/sudo /usr/bin/doas

# The desktop file, as a desktop starts it: without a terminal.
got=$(alice "setsid -w $(sed -n 's/^Exec=\(.*\) %u$/\1/p' /usr/share/applications/firefox-work.desktop) </dev/null")
ok "the desktop file [$got]" [ "$got" = "alice in work: --no-remote -P work" ]

# A terminal: what sudo has for the program is one too.
got=$(script -qec 'cd /home/alice; runuser -u alice -- rdomain exec work -- sh -c "tty >/dev/null && stty -a >/dev/null && echo a terminal"' /dev/null </dev/null)
ok "a terminal is one [$got]" sh -c 'echo "$1" | grep -q "a terminal"' sh "$got"
ok "the exit status" [ "$(alice 'rdomain exec work -- sh -c "exit 7"; echo $?')" = 7 ]

# What is started inside is inside, and what a server outside starts is not.
echo 'alice ALL=(root) NOPASSWD: /usr/bin/readlink' >/etc/sudoers.d/any; chmod 0440 /etc/sudoers.d/any
got=$(alice 'rdomain exec work -- sudo -n readlink /proc/self/ns/net')
ok "sudo, inside [$got]" [ "$got" = "net:[$inode]" ]
rm /etc/sudoers.d/any
install -d -m 0700 -o alice /home/alice/.screen
printf '#!/bin/sh\ncd /home/alice; readlink /proc/self/ns/net >".$1"; mv ".$1" "$1"; exec sleep 1000\n' >/usr/local/bin/say
chmod 0755 /usr/local/bin/say
said() { await test -s "/home/alice/$1"; cat "/home/alice/$1"; }
home=net:[$(stat -Lc %i /proc/1/ns/net)]
alice 'export HOME=$PWD SCREENDIR=$PWD/.screen TERM=dumb
	tmux -L out new-session -d "say tmux.first"; screen -dmS out say screen.first
	rdomain exec work -- tmux -L in new-session -d "say tmux.new"
	rdomain exec work -- tmux -L out new-window "say tmux.old"
	rdomain exec work -- screen -dmS in say screen.new
	rdomain exec work -- screen -S out -X screen say screen.old'
for tool in tmux screen; do
	got=$(said $tool.new)
	ok "a new $tool is inside [$got]" [ "$got" = "net:[$inode]" ]
	got=$(said $tool.old)
	ok "and one that was there is outside [$got]" [ "$got" = "$home" ]
done
pkill -u alice 'tmux|screen'

# No rule starts anything else as root.
for tool in "sudo -n" doas; do
	ok "$tool: no verb of rdomain" sh -c "! runuser -u alice -- $tool /usr/sbin/rdomain exec work id"
	ok "$tool: no rdexec" sh -c "! runuser -u alice -- $tool /usr/sbin/rdexec -n work id"
	ok "$tool: no environment" sh -c "! runuser -u alice -- $tool env LD_PRELOAD=/x /usr/libexec/rdomain-exec 1 work id"
done
mkdir -m 0777 /tmp/links; ln -s /usr/sbin/rdomain /tmp/links/rdomain-exec; ln -s /usr/libexec/rdomain-exec /tmp/links/rdomain
for name in /tmp/links/rdomain-exec /tmp/links/rdomain; do
	out=$(alice "sudo -n $name exec work id; doas $name exec work id; sudo -n $name \$\$ work id -u; :" 2>/dev/null)
	ok "by the link $name: nobody is root [$out]" sh -c '! echo "$1" | grep -Eq "^0$|uid=0"' sh "$out"
done
ok "sudo keeps no environment by -E" sh -c '! runuser -u alice -- sudo -n -E /usr/libexec/rdomain-exec $$ work id 2>/dev/null'
# doas lets SUDO_UID pass if its rule says so: two who differ are nobody.
sed -i 's/nopass/nopass keepenv/' /etc/doas.conf
out=$(alice 'SUDO_UID=1002 doas /usr/libexec/rdomain-exec $$ work -- id -u; exit $?' 2>&1)
ok "a lie in the environment [$out]" sh -c 'echo "$1" | grep -q "two users have called"' sh "$out"
out=$(alice 'LD_PRELOAD=/home/alice/x.so GODEBUG=inittrace=1 doas /usr/libexec/rdomain-exec $$ work -- id -un; exit $?' 2>/dev/null)
ok "and the loader's variables [$out]" [ "$out" = alice ]
# The other side, bob's process: neither his environment nor his groups.
runuser -u bob -- env SECRET=bobs sleep 100 & sleeper=$(until pgrep -u bob -x sleep; do :; done)
out=$(alice "sudo -n /usr/libexec/rdomain-exec $sleeper work -- env; exit \$?" 2>&1)
ok "a process of bob's [$out]" sh -c '! echo "$1" | grep -q SECRET && echo "$1" | grep -q "not one of user 1001 alone"' sh "$out"
kill "$sleeper"
# A PATH of hers is hers: what it names runs as she.
alice 'mkdir -p bin; for p in sudo ip sh rdomain id; do printf "#!/bin/sh\n/usr/bin/id -un\n" >bin/$p; chmod +x bin/$p; done'
out=$(alice 'PATH=/home/alice/bin:$PATH /usr/sbin/rdomain exec work -- ip')
ok "programs along her PATH [$out]" [ "$out" = alice ]
# The privileged step cannot be traced, and what kills the caller ends it.
ok "one that has ended" sh -c '! runuser -u alice -- sh -c "sleep 0 & p=\$!; wait; sudo -n /usr/libexec/rdomain-exec \$p work -- true"'
sed -i '/^AllowUsers/d' /etc/rdomain/work.conf
ok "nobody is allowed any more" sh -c '! runuser -u alice -- rdomain exec work -- true'
