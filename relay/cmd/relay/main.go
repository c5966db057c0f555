// Command relay introduces robots and apps to each other: it serves, and it keeps
// the accounts and devices. See relay --help.
package main

import (
	"context"
	"os"

	"wimz.dev/live/relay/cli"
)

func main() {
	cli.Main(func(ctx context.Context) int {
		return run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	})
}
