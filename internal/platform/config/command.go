// Package config is Steward's command line: every command, flag, environment variable and default,
// and the refusal to start with a configuration that is unsafe. It reads; it starts nothing.
//
// cmd and internal/app use it. It imports only platform/obs (for Secret).
package config

import (
	"net/netip"
	"time"

	"steward/internal/platform/obs"
)

// Command is what one command line said. Name tells which command was given; only that command's
// struct is meaningful.
type Command struct {
	Name string `kong:"-"` // "serve", "migrate", "seed demo", "import", "token create", "audit verify" …

	LogLevel string `help:"How much to log: ${enum}." enum:"debug,info,warn,error" default:"info"`

	Serve   Serve    `cmd:"" help:"Run the server."`
	Worker  Worker   `cmd:"" help:"Do background jobs and serve nothing."`
	Migrate Migrate  `cmd:"" help:"Apply the migrations that the database lacks, or show them."`
	Seed    Seed     `cmd:"" help:"Fill an empty database."`
	Import  Import   `cmd:"" help:"Read files of another system. A dry run unless --apply."`
	Export  Export   `cmd:"" help:"Write records into files."`
	Token   Token    `cmd:"" help:"Make, list and revoke API tokens."`
	Audit   Audit    `cmd:"" help:"Check the record of changes, or take it out."`
	Keys    Keys     `cmd:"" help:"Change the key that encrypts stored secrets."`
	Person  Person   `cmd:"" help:"Take out or erase what is kept about one person."`
	Backup  Backup   `cmd:"" help:"Copy the whole database into one file, beside a running server."`
	Restore Restore  `cmd:"" help:"Fill an empty database from a backup."`
	Doctor  Doctor   `cmd:"" help:"Check configuration, database, key, identity provider and data. Takes the settings of serve."`
	Schema  struct{} `cmd:"" help:"Print the GraphQL schema."`
	Version Version  `cmd:"" help:"Print version, commit, build date and Go version."`
}

// Storage says where the data is. Every command that touches data has it.
type Storage struct {
	Database     Database `help:"sqlite:PATH or postgres://… (several hosts with target_session_attrs). A URL with a password belongs in $STEWARD_DATABASE or a file named by $STEWARD_DATABASE_FILE." default:"sqlite:var/steward.db" placeholder:"URL"`
	KeyFile      string   `help:"File with the key that encrypts stored secrets. Required on PostgreSQL; on SQLite steward.key beside the database is made when it is missing." placeholder:"FILE"`
	databaseFlag bool     // the URL was typed on the command line, where every user of the machine can read it
}

// Serve is `steward serve`: the server.
type Serve struct {
	Storage
	Tracing

	Listen              string         `help:"Address of the site. Outside loopback it needs --production or --allow-insecure." default:"127.0.0.1:8080" placeholder:"ADDR"`
	OpsListen           string         `help:"Address of the second listener with /metrics, and /debug/pprof/ on loopback; empty for none." default:"127.0.0.1:9090" placeholder:"ADDR"`
	BaseURL             string         `name:"base-url" help:"Address that people type, https in production. Default: http://localhost and the port of --listen." placeholder:"URL"`
	Production          bool           `help:"Refuse every unsafe setting."`
	AllowInsecure       bool           `help:"Serve other machines without --production. Only for trials: warns at start and on every page."`
	Demo                bool           `help:"Fill an empty database with a demo portfolio and let visitors pick a person to sign in as. Loopback only."`
	Migrate             bool           `help:"Migrate before serving. SQLite and --demo always do."`
	NoJobs              bool           `help:"Leave background jobs to another process."`
	Replicas            int            `help:"How many servers share the database. SQLite serves one." default:"1" placeholder:"N"`
	TrustedProxy        []netip.Prefix `help:"Network whose X-Forwarded-For and X-Forwarded-Proto are believed; may be repeated." placeholder:"CIDR"`
	RateWrites          int            `help:"Writes a second for one person or address; 0 is no limit." default:"20" placeholder:"N"`
	RateReads           int            `help:"Reads a minute for one person or address; 0 is no limit." default:"600" placeholder:"N"`
	RatePoints          int            `help:"GraphQL cost points a minute for one caller; 0 is no limit." default:"50000" placeholder:"N"`
	MaxPages            int            `help:"Requests of pages answered at a time; more get 503. 0 is no limit." default:"256" placeholder:"N"`
	MaxAPI              int            `name:"max-api" env:"STEWARD_MAX_API" help:"GraphQL requests answered at a time; more get 503. 0 is no limit." default:"128" placeholder:"N"`
	MaxExports          int            `help:"Files sent at a time, such as CSV and workbooks; more get 503. 0 is no limit." default:"16" placeholder:"N"`
	FreshFor            time.Duration  `help:"How recently somebody must have signed in to grant a role or to make a token or a webhook; older, the identity provider asks them again." default:"10m" placeholder:"D"`
	StoredDocumentsOnly bool           `help:"Let tokens run only GraphQL documents that have been stored."`
	Scanner             Scanner        `help:"Virus scanner for files on records, a clamd: tcp:HOST:PORT or unix:PATH. Without one, files are not scanned." placeholder:"ADDR"`
	ImportMegabytes     int            `help:"Most megabytes that the files of one import may have when they are sent through a page." default:"256" placeholder:"N"`
	WebhookAllow        []netip.Prefix `help:"Internal network that webhooks may call, over http too and at any port; may be repeated. Without it they reach the public internet only." placeholder:"CIDR"`
	DrainWait           *time.Duration `help:"How long /readyz says no before connections are closed at a stop. Default: 5s in production, else 0s." placeholder:"D"`

	OIDCIssuer      string     `name:"oidc-issuer" env:"STEWARD_OIDC_ISSUER" help:"Issuer of the identity provider, as its discovery document spells it." placeholder:"URL"`
	OIDCClientID    string     `name:"oidc-client-id" env:"STEWARD_OIDC_CLIENT_ID" help:"Client of the site; its secret comes in $STEWARD_OIDC_CLIENT_SECRET or $STEWARD_OIDC_CLIENT_SECRET_FILE." default:"steward-web" placeholder:"ID"`
	OIDCAudience    string     `name:"oidc-audience" env:"STEWARD_OIDC_AUDIENCE" help:"Audience that access tokens for /graphql must name." default:"steward-api" placeholder:"NAME"`
	OIDCRolesClaim  string     `name:"oidc-roles-claim" env:"STEWARD_OIDC_ROLES_CLAIM" help:"Path of the claim with the roles." default:"realm_access.roles" placeholder:"CLAIM"`
	OIDCGroupsClaim string     `name:"oidc-groups-claim" env:"STEWARD_OIDC_GROUPS_CLAIM" help:"Path of the claim with the groups." default:"groups" placeholder:"CLAIM"`
	OIDCSecret      obs.Secret `kong:"-"`
}

// Drain returns how long a stopping server says "not ready" before it closes connections.
func (s *Serve) Drain() time.Duration {
	switch {
	case s.DrainWait != nil:
		return *s.DrainWait
	case s.Production:
		return 5 * time.Second
	}
	return 0
}

// MigrateFirst reports whether the server applies migrations before it serves.
func (s *Serve) MigrateFirst() bool {
	_, sqlite := s.Database.SQLite()
	return s.Migrate || s.Demo || sqlite
}

// Worker is `steward worker`: background jobs alone.
type Worker struct {
	Storage
	Tracing
	OpsListen    string         `help:"Address of the listener with /metrics, and /debug/pprof/ on loopback; empty for none." default:"127.0.0.1:9091" placeholder:"ADDR"`
	Production   bool           `help:"Refuse every unsafe setting."`
	Parallel     int            `help:"Jobs at a time." default:"4" placeholder:"N"`
	Scanner      Scanner        `help:"Virus scanner for files on records that wait for it, as for serve." placeholder:"ADDR"`
	WebhookAllow []netip.Prefix `help:"Internal network that webhooks may call, as for serve; may be repeated." placeholder:"CIDR"`
}

// Migrate is `steward migrate`.
type Migrate struct {
	Storage
	AppRole    string `help:"PostgreSQL: also give this role what servers need; it can add to the record of changes and not alter it. With --worker-role." placeholder:"ROLE"`
	WorkerRole string `help:"PostgreSQL: also give this role what workers need; it seals the record and deletes its oldest rows." placeholder:"ROLE"`
	Status     bool   `help:"Show what is applied and what is missing; change nothing. Exit 1 when something is missing."`
}

// Seed is `steward seed`.
type Seed struct {
	Demo struct {
		Storage
	} `cmd:"" help:"The demo portfolio, into an empty database."`
}

// Import is `steward import FORMAT FILE…` or `steward import --undo CHANGESET`.
type Import struct {
	Storage
	Format     string            `arg:"" optional:"" help:"Name of the format, such as itdashboard-projects or csv."`
	Files      []string          `arg:"" optional:"" name:"file" help:"Files to read."`
	Apply      bool              `help:"Write. Without it nothing is changed."`
	SkipFaults bool              `help:"With --apply: leave out the rows that cannot be stored and write the others."`
	Portfolio  string            `help:"Key of the portfolio that takes the rows." placeholder:"KEY"`
	Set        map[string]string `help:"A setting of the format; may be repeated." mapsep:"none" placeholder:"NAME=VALUE"`
	JSON       bool              `name:"json" help:"Print the report as one JSON object and nothing else on standard output."`
	Undo       string            `help:"Take one import back instead." placeholder:"CHANGESET"`
}

// Token is `steward token create|list|revoke`.
type Token struct {
	Create TokenCreate `cmd:"" help:"Print a new API token, once."`
	List   struct {
		Storage
		JSON bool `name:"json" help:"Print JSON."`
	} `cmd:"" help:"Show the tokens; never their text."`
	Revoke struct {
		Storage
		ID string `arg:"" help:"Id of the token, from token list."`
	} `cmd:"" help:"End a token at once."`
}

// TokenCreate is `steward token create`.
type TokenCreate struct {
	Storage
	Person    string   `help:"Whose token: the e-mail address of a person." xor:"owner" required:"" placeholder:"EMAIL"`
	Service   string   `help:"Whose token: the name of a service, made when it is new." xor:"owner" required:"" placeholder:"NAME"`
	Role      []string `help:"Role that the token may use; may be repeated." required:"" placeholder:"ROLE"`
	Portfolio []string `help:"Portfolio that it reaches, or * for all, later ones too; may be repeated." required:"" placeholder:"KEY"`
	Days      int      `help:"Days until it ends, 1 to 90." default:"90" placeholder:"N"`
}

// Audit is `steward audit verify|export`.
type Audit struct {
	Verify struct {
		Storage
		File string `help:"Verify an exported file instead of the database." placeholder:"FILE"`
		Head string `help:"A head printed or logged earlier, which must still be in the chain." placeholder:"HASH"`
		JSON bool   `name:"json" help:"Print JSON."`
	} `cmd:"" help:"Recompute every seal of the record of changes. Exit 1 when one does not fit."`
	Export struct {
		Storage
		File string `arg:"" optional:"" name:"file" help:"New file; standard output without one."`
	} `cmd:"" help:"Write the sealed record of changes as JSON Lines, signed by its head."`
}

// Person is `steward person export|erase EMAIL`.
type Person struct {
	Export struct {
		Storage
		Email string `arg:"" help:"E-mail address of the person."`
	} `cmd:"" help:"Print every row that names the person, as JSON."`
	Erase struct {
		Storage
		Email  string `arg:"" help:"E-mail address of the person."`
		Reason string `help:"Why; it stays in the record of changes." required:"" placeholder:"TEXT"`
	} `cmd:"" help:"Replace the person's name and address everywhere by a pseudonym. It cannot be taken back."`
}

// Keys is `steward keys status|rotate`.
type Keys struct {
	Status struct {
		Storage
	} `cmd:"" help:"Count the stored secrets by the key that encrypted them. Exit 1 when one is lost."`
	Rotate struct {
		Storage
	} `cmd:"" help:"Encrypt the stored secrets anew with the first key of the file, beside a running server."`
}

// Backup is `steward backup DEST`.
type Backup struct {
	Storage
	Dest string `arg:"" name:"dest" help:"New file, or a folder in which it gets a name with the date. The manifest lies beside it."`
}

// Restore is `steward restore SRC`.
type Restore struct {
	Storage
	Source string `arg:"" name:"src" help:"The file that steward backup wrote, its manifest beside it."`
	Verify bool   `help:"Check what was restored: rows of every table, record of changes, totals, keys. Exit 1 when something is wrong."`
}

// Doctor is `steward doctor`. It takes the settings of the server and judges them.
type Doctor struct {
	Serve
	Backups  string   `help:"Folder of the backups: is there room, how old is the newest." placeholder:"FOLDER"`
	JSON     bool     `name:"json" help:"Print JSON."`
	Problems []string `kong:"-"` // what serve would refuse, one sentence each
}

// Version is `steward version`.
type Version struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Export is `steward export`: records into files.
type Export struct {
	Storage

	Format    string   `arg:"" enum:"jsonl,csv,xlsx" help:"jsonl (every type, or those named), csv or xlsx (one type)."`
	Portfolio string   `help:"Key of a portfolio: its records and what lies in none." placeholder:"KEY"`
	Type      []string `help:"Type, such as Contract; jsonl takes several." placeholder:"NAME"`
	Out       string   `help:"File to write; for jsonl a folder, or a file that ends in .zip. One type goes to standard output without it." type:"path" placeholder:"FILE"`
}
