package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"wimz.dev/live/relay/internal/config"
)

// configCheckCmd looks at the configuration.
type configCheckCmd struct{}

// Help is shown by relay config check --help.
func (*configCheckCmd) Help() string {
	return `Reads flags, environment and .env file as relay serve does. Prints every setting,
secrets as ***, and ok; or everything that is wrong, with exit status 1.`
}

// Run prints the settings if they are all right.
func (*configCheckCmd) Run(a *app) error {
	if err := a.check(a.cfg.Validate()); err != nil {
		return err
	}
	table := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for _, v := range a.cfg.Variables() {
		_, _ = fmt.Fprintf(table, "%s\t%s\n", v.Name, show(v.Value)) // Flush has the error
	}
	_, _ = fmt.Fprintf(table, "listens on\t%s\nok\n", a.cfg.Addr())
	return table.Flush()
}

func show(value any) string {
	switch v := value.(type) {
	case config.Secret:
		if v == "" {
			return "(not set)"
		}
	case []string:
		value = strings.Join(v, ",")
	}
	if text := fmt.Sprint(value); text != "" {
		return text
	}
	return "(not set)"
}
