package main

import (
	"net"
	"os"
	"strings"
	"testing"

	"rdgen/test/need"
	"rdgen/test/sandbox"
)

// forwarders are what dockerd 26.1, ufw 0.36 and firewalld 2.3 load, as seen on Debian, less
// what is not about forwarding; of ufw and dockerd as iptables-save writes it. pass is what
// the command of the hint adds, where the program that it calls is not there.
var forwarders = []struct{ name, rules, from, to, pass string }{
	{"docker", `*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN
COMMIT
`, "IPTABLES -I DOCKER-USER -i veth-k -j ACCEPT; IPTABLES -I DOCKER-USER -o veth-k -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
		"IPTABLES -I DOCKER-USER -o veth-k -j ACCEPT; IPTABLES -I DOCKER-USER -i veth-k -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", ""},
	{"docker, that found the switch for forwarding on", `*filter
:FORWARD ACCEPT [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A DOCKER-USER -j RETURN
COMMIT
`, "", "", ""},
	{"ufw", `*filter
:FORWARD DROP [0:0]
:ufw-before-forward - [0:0]
:ufw-after-logging-forward - [0:0]
:ufw-user-forward - [0:0]
-A FORWARD -j ufw-before-forward
-A FORWARD -j ufw-after-logging-forward
-A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A ufw-before-forward -p icmp -m icmp --icmp-type 8 -j ACCEPT
-A ufw-before-forward -j ufw-user-forward
-A ufw-after-logging-forward -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix "[UFW BLOCK] "
COMMIT
`, "ufw route allow in on veth-k", "ufw route allow out on veth-k", "IPTABLES -A ufw-user-forward -i veth-k -j ACCEPT; IPTABLES -A ufw-user-forward -o veth-k -j ACCEPT"},
	{"docker, and a ufw that was switched off", `*filter
:FORWARD DROP [0:0]
:DOCKER-USER - [0:0]
:ufw-before-forward - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -j ufw-before-forward
-A DOCKER-USER -j RETURN
COMMIT
`, "IPTABLES -I DOCKER-USER -i veth-k -j ACCEPT; IPTABLES -I DOCKER-USER -o veth-k -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
		"IPTABLES -I DOCKER-USER -o veth-k -j ACCEPT; IPTABLES -I DOCKER-USER -i veth-k -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", ""},
	{"what docker left when its rules were flushed", `*filter
:FORWARD DROP [0:0]
:DOCKER-USER - [0:0]
COMMIT
`, "IPTABLES -I FORWARD -i veth-k -j ACCEPT; IPTABLES -I FORWARD -o veth-k -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
		"IPTABLES -I FORWARD -o veth-k -j ACCEPT; IPTABLES -I FORWARD -i veth-k -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", ""},
	{"an administrator's, by addresses and by the link to the world", `*filter
:FORWARD DROP [0:0]
:mine - [0:0]
-A FORWARD -m comment --comment "hosts" -g mine
-A mine -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A mine -s 10.7.0.0/29 ! -o lo -j ACCEPT
-A mine -m conntrack --ctstate DNAT -j ACCEPT
COMMIT
`, "", "", ""},
	{"an administrator's, against the link", `*filter
:FORWARD ACCEPT [0:0]
-A FORWARD -d 10.7.0.2 -m conntrack --ctstate NEW -j DROP
-A FORWARD ! -i uplink -o uplink -j REJECT
-A FORWARD -p tcp -s 10.7.0.2 -j DROP
COMMIT
`, "IPTABLES -I FORWARD -i veth-k -j ACCEPT",
		"IPTABLES -I FORWARD -o veth-k -j ACCEPT; IPTABLES -I FORWARD -i veth-k -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", ""},
}

// firewalld is its table, and where the trusted zone has the link.
const firewalld = `table inet firewalld {
	chain filter_FORWARD {
		type filter hook forward priority filter + 10; policy accept;
		ct state { established, related } accept
		ct status dnat accept
		iifname "lo" accept
		ct state invalid drop
		ip6 daddr { ::/96, ::ffff:0.0.0.0/96, 2002::/24 } reject with icmpv6 addr-unreachable
		jump filter_FORWARD_POLICIES
		reject with icmpx admin-prohibited
	}
	chain filter_FORWARD_POLICIES {
		jump filter_FWD_public
		reject with icmpx admin-prohibited
	}
	chain filter_FWD_public { }
}
`

// gateway puts the programs of the fixtures on PATH.
func gateway(t *testing.T) {
	t.Helper()
	root := os.Getenv("RDGEN_GATEWAY_ROOT")
	if _, err := os.Stat(root + "/usr/sbin/xtables-nft-multi"); err != nil {
		need.Missing(t, need.Root, "RDGEN_GATEWAY_ROOT names no folder with iptables; make fixtures makes one")
	}
	lib := root + "/usr/lib/x86_64-linux-gnu"
	t.Setenv("LD_LIBRARY_PATH", lib)
	t.Setenv("XTABLES_LIBDIR", lib+"/xtables")
	t.Setenv("PATH", root+"/usr/sbin:"+os.Getenv("PATH"))
}

// Beside what others load, check says what drops the packets and the commands by which they
// pass, for what leaves and for what is published; and then it is silent, and they do.
func TestForwardedBesideOthers(t *testing.T) {
	start(t)
	world(t)
	gateway(t)
	text := strings.Replace(natted, "Masquerade=yes", "Masquerade=ipv4", 1)
	file(t, "k", text+"[Publish]\nListen=192.0.2.1:8080\nConnect=80\n")
	quiet(t, "up", "k")
	var server net.Listener
	insideOf(t, "k", func() (err error) {
		server, err = net.Listen("tcp4", "10.7.0.2:80")
		return err
	})
	defer server.Close()
	pass := func(name string) {
		t.Helper()
		says(t, 0, "", "", "check", "k")
		if from := seen(t, "udp4", "192.0.2.2"); from != "192.0.2.1" {
			t.Errorf("%s: the world is asked by %s", name, from)
		}
		if from := asked(t, server, "world", "192.0.2.1:8080"); from != "192.0.2.2" {
			t.Errorf("%s: the port is asked by %s", name, from)
		}
	}
	for _, c := range forwarders {
		for tool, table := range map[string]string{"iptables-nft": "chain FORWARD of table ip filter", "iptables-legacy": "chain FORWARD of table ip filter (iptables-legacy)"} {
			name := tool + ": " + c.name
			if err := os.WriteFile("/run/rules", []byte(c.rules), 0o600); err != nil {
				t.Fatal(err)
			}
			sandbox.Sh(t, tool+"-restore </run/rules")
			hint, command := strings.NewReplacer("IPTABLES", strings.TrimSuffix(tool, "-nft")), strings.NewReplacer("IPTABLES", tool)
			want, code := "", 0
			for _, way := range [][2]string{{c.from, "from"}, {c.to, "to"}} {
				if way[0] != "" {
					code, want = 1, want+"# k: "+table+" in the default domain drops what is forwarded "+way[1]+" veth-k (ipv4); to let it pass: "+hint.Replace(way[0])+"\n"
				}
			}
			says(t, code, want, "", "check", "k")
			if c.pass != "" {
				sandbox.Sh(t, command.Replace(c.pass))
			} else if c.from != "" {
				sandbox.Sh(t, command.Replace(c.from+"; "+c.to))
			}
			pass(name)
			sandbox.Sh(t, tool+" -P FORWARD ACCEPT; "+tool+" -F; "+tool+" -X; rm /run/rules")
		}
		sandbox.Sh(t, "nft delete table ip filter")
	}
	sandbox.Sh(t, "nft -f - <<'E'\n"+firewalld+"E\n")
	says(t, 1, "# k: chain filter_FORWARD of table inet firewalld in the default domain drops what is forwarded from veth-k (ipv4); to let it pass: firewall-cmd --zone=trusted --add-interface=veth-k\n",
		"", "check", "k")
	sandbox.Sh(t, `nft add chain inet firewalld filter_FWD_trusted
		nft 'insert rule inet firewalld filter_FORWARD_POLICIES iifname "veth-k" accept'
		nft 'insert rule inet firewalld filter_FORWARD_POLICIES iifname "veth-k" jump filter_FWD_trusted'`)
	pass("firewalld")
	sandbox.Sh(t, `nft delete table inet firewalld; nft -f - <<'E'
table inet f {
	set ours { type ifname; elements = { "veth-j", "veth-k" } }
	set nets { type ipv4_addr; flags interval; elements = { 10.6.0.0/16, 10.7.0.0/30, 10.9.0.1 } }
	chain leave { ip daddr 198.51.100.0/24 drop; ip saddr @nets accept; }
	chain forward {
		type filter hook forward priority 0; policy drop;
		ct state vmap { established : accept, related : accept, invalid : drop }
		oifname vmap { "uplink" : goto leave, "x*" : drop }
		iifname "uplink" oifname @ours tcp dport 80 accept
	}
}
E`)
	pass("sets")
	sandbox.Sh(t, `nft 'delete element inet f nets { 10.7.0.0/30 }'; nft 'delete element inet f ours { "veth-k" }'`)
	rule := `nft 'insert rule inet f forward `
	says(t, 1, "# k: chain forward of table inet f in the default domain drops what is forwarded from veth-k (ipv4); to let it pass: "+rule+"iifname \"veth-k\" accept'\n"+
		"# k: chain forward of table inet f in the default domain drops what is forwarded to veth-k (ipv4); to let it pass: "+rule+"oifname \"veth-k\" accept'\n", "", "check", "k")
	sandbox.Sh(t, `nft delete table inet f`)
	quiet(t, "down", "k")
}
