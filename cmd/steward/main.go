// Command steward is the whole program: the server and the commands beside it.
package main

import (
	"context"
	"os"

	"steward/internal/app"
)

func main() {
	os.Exit(app.Run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}
