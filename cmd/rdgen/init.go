package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"rdgen/generators/tree"
	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/services"
	"rdgen/templates"
)

// kinds are those of init; the first is the default.
var kinds = []string{"veth", "vrf", "vpn"}

// drafting are the flags of init.
type drafting struct {
	root, kind, link, config string
	addresses                []string
	publish                  []string
	dhcp, dryRun             bool
}

func initCommand() *cobra.Command {
	var d drafting
	cmd := &cobra.Command{
		Use:   "init NAME",
		Short: "write a domain's file, with comments",
		Long: "Writes /etc/rdomain/NAME.conf. Of --kind veth, which is the default, it is a network namespace and a cable between it and the host, with " +
			"addresses that no other file has; of vrf a VRF with a table that no other file has, and the network card that --link names, " +
			"with --dhcp one that has its address by DHCP; of vpn a network " +
			"namespace whose only way out is the WireGuard file of a provider, /etc/wireguard/NAME.conf or what --config says, and with --publish a cable, by which a " +
			"port of the namespace is reached. " +
			"The comments say what is to be changed where. It is an error if there is such a file, or if rdgen check would find something in the new one.",
		Example: "rdgen init private\nrdgen init mgmt --kind vrf --link eth1\nrdgen init vpn --kind vpn --config /etc/wireguard/provider.conf --publish 9091",
		RunE: func(cmd *cobra.Command, words []string) error {
			if len(words) != 1 {
				return usage("init takes one NAME", cmd)
			}
			if err := d.validate(cmd); err != nil {
				return err
			}
			return d.run(words[0], cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	rootFlag(cmd, &d.root)
	flags.Lookup("root").Usage = "read and write everything below `DIR`"
	flags.StringVar(&d.kind, "kind", kinds[0], "what the domain is: `K` is veth, vrf or vpn")
	flags.StringVar(&d.link, "link", "", "the network card `L` is in the VRF")
	flags.StringArrayVar(&d.addresses, "address", nil, "the card has the address `A/LEN` too; may be given again")
	flags.BoolVar(&d.dhcp, "dhcp", false, "the card has its address by DHCP")
	flags.StringVar(&d.config, "config", "", "the provider's `FILE` for wg-quick")
	flags.Var((*ports)(&d.publish), "publish", "others reach the VPN's services at `[ADDRESS:]PORT` of the host, by TCP; may be given again")
	flags.BoolVarP(&d.dryRun, "dry-run", "n", false, "write nothing, print the file")
	cmd.ValidArgsFunction = cobra.FixedCompletions(nil, cobra.ShellCompDirectiveNoFileComp)
	completeFlag(cmd, "root", cobra.ShellCompDirectiveFilterDirs)
	completeFlag(cmd, "kind", cobra.ShellCompDirectiveNoFileComp, kinds...)
	completeFlag(cmd, "address", cobra.ShellCompDirectiveNoFileComp)
	completeFlag(cmd, "publish", cobra.ShellCompDirectiveNoFileComp)
	completeLink(cmd, "link", &d.root)
	return cmd
}

func (d *drafting) validate(cmd *cobra.Command) error {
	given := func(flag string) bool { return cmd.Flags().Changed(flag) }
	switch {
	case !slices.Contains(kinds, d.kind):
		return usage(fmt.Sprintf("there is no kind %q; there are %s", d.kind, strings.Join(kinds, ", ")), cmd)
	case d.kind != "vrf" && (given("link") || given("address") || d.dhcp):
		return usage("--link, --address and --dhcp are for --kind vrf", cmd)
	case d.kind != "vpn" && (given("config") || given("publish")):
		return usage("--config and --publish are for --kind vpn", cmd)
	case (given("address") || d.dhcp) && d.link == "":
		return usage("--address and --dhcp need --link", cmd)
	case given("address") && d.dhcp:
		return usage("--address and --dhcp exclude each other", cmd)
	case given("config") && (path.Clean(d.config) != d.config || !path.IsAbs(d.config)):
		return usage("--config is an absolute path", cmd)
	}
	return notEmpty(cmd, "link")
}

// ports are the values of a flag.
type ports []string

// Set adds one.
func (p *ports) Set(text string) error {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		a, not := netip.ParseAddrPort(text)
		n, err = uint64(a.Port()), not
	}
	switch {
	case err != nil || n == 0:
		return errors.New("expected PORT or ADDRESS:PORT, such as 80, 192.0.2.1:80 or [2001:db8::1]:80")
	case slices.Contains(*p, text):
		return errors.New("it is there already")
	}
	*p = append(*p, text)
	return nil
}

// String is nothing by default.
func (p *ports) String() string { return "" }

// Type is the word for one.
func (p *ports) Type() string { return "PORT" }

// draft is the data of the templates init-*.tmpl.
type draft struct {
	ID domain.ID
	// Peer, Inside and Outside are the cable.
	Peer            domain.LinkName
	Inside, Outside netip.Prefix
	Table           uint32
	// Link is zero where none is named.
	Link      string
	DHCP      bool
	Addresses []netip.Prefix
	Config    string
	Publish   []string
}

func (d *drafting) run(name string, stdout io.Writer) error {
	id, err := domain.ParseID(name)
	if err == nil && d.kind == "vrf" && !strings.Contains(name, "@") {
		_, err = domain.ParseVRF(name)
	}
	if err != nil {
		return &problem.Error{Msg: err.Error()}
	}
	if _, both := id.Both(); both && d.kind != "vrf" {
		return &problem.Error{Msg: name + " is a VRF in a namespace, which is of --kind vrf"}
	}
	root, err := openRoot(d.root)
	if err != nil {
		return err
	}
	defer root.Close()
	loader := services.NewLoader(root, domain.Domain{})
	file := "/etc/rdomain/" + id.String() + ".conf"
	if _, err := fs.Stat(root, file[1:]); err == nil {
		return problem.New(problem.Pos{File: file}, "is there already").WithHint("edit it, and look at it with rdgen check; or take another name")
	}
	text, err := d.render(id, loader)
	if err != nil {
		return err
	}
	after, errs := loader.Drafted(id, text)
	if len(errs) > 0 {
		return fmt.Errorf("%s is not written: %w", file, errs[0])
	}
	if d.dryRun {
		_, err = stdout.Write(text)
		return err
	}
	if err := (tree.Edit{Path: file, New: text}).Write(d.root); err != nil {
		return err
	}
	return d.say(stdout, file, id, after)
}

// render makes the text.
func (d *drafting) render(id domain.ID, loader *services.Loader) ([]byte, error) {
	data := draft{ID: id, Config: d.config, Publish: d.publish, DHCP: d.dhcp, Table: loader.FreeTable()}
	if d.kind != "vrf" {
		data.Inside, data.Outside = loader.FreePair()
		data.Peer = loader.FreeLink(id)
	}
	switch {
	case d.kind == "vpn" && d.config == "":
		data.Config = "/etc/wireguard/" + id.String() + ".conf"
	case d.link != "":
		link, err := domain.ParseLink(d.link)
		if err != nil {
			return nil, fmt.Errorf("--link: %w", err)
		}
		data.Link = link.String()
	}
	for _, a := range d.addresses {
		p, err := netip.ParsePrefix(a)
		if err != nil {
			return nil, &problem.Error{Msg: fmt.Sprintf("--address %q is no address with the length of its network", a), Hint: "write it as 192.0.2.10/24"}
		}
		data.Addresses = append(data.Addresses, p)
	}
	return templates.Render("init-"+d.kind, data)
}

// say prints what was made, and how it is used.
func (d *drafting) say(w io.Writer, file string, id domain.ID, after *services.Loader) error {
	for _, in := range after.Defined() {
		if in.ID() == id.String() {
			next := onRoot(d.root, append([]string{"rdgen", "set", "SERVICE"}, values([]domain.Domain{in})...)...)
			if filepath.Clean(d.root) == "/" { // rdomain is for this machine
				next = "rdomain up -n " + id.String() + ", and " + next
			}
			_, err := fmt.Fprintf(w, "%s: %s\nnext: %s\n", file, in, next)
			return err
		}
	}
	return nil
}
