// Command codegen writes everything that follows from ent/schema: the ent
// client, the page descriptors in ent/registry, the GraphQL schema and the
// bodies of its generated resolvers. `make gen` runs it; the same input gives
// the same output, byte for byte.
package main

import (
	"log"
	"os"

	"entgo.io/contrib/entgql"
	"entgo.io/ent/entc"
	"entgo.io/ent/entc/gen"
	"github.com/99designs/gqlgen/api"
	"github.com/99designs/gqlgen/codegen/config"
)

func main() {
	log.SetFlags(0)
	what := "all"
	if len(os.Args) > 1 {
		what = os.Args[1]
	}
	if what == "all" || what == "ent" {
		if err := generateEnt(); err != nil {
			log.Fatal("codegen ent: ", err)
		}
	}
	if what == "all" || what == "graph" {
		if err := generateGraph(); err != nil {
			log.Fatal("codegen graph: ", err)
		}
	}
}

func generateEnt() error {
	gql, err := entgql.NewExtension(
		entgql.WithSchemaGenerator(),
		entgql.WithSchemaPath("graph/schema/ent.graphql"),
		entgql.WithConfigPath("gqlgen.yml"),
		entgql.WithWhereInputs(true),
		entgql.WithSchemaHook(schemaHook),
	)
	if err != nil {
		return err
	}
	err = entc.Generate("./ent/schema", &gen.Config{
		Target: "ent", Package: "steward/ent",
		Features: []gen.Feature{
			gen.FeatureIntercept, gen.FeatureLock, gen.FeatureModifier,
			gen.FeatureExecQuery, gen.FeatureVersionedMigration, gen.FeatureNamedEdges,
		},
		Hooks: []gen.Hook{registryHook},
	}, entc.Extensions(gql), entc.TemplateDir("ent/template"))
	if err != nil {
		return err
	}
	return patch()
}

func generateGraph() error {
	if err := writeShared(); err != nil {
		return err
	}
	cfg, err := config.LoadConfig("gqlgen.yml")
	if err != nil {
		return err
	}
	return api.Generate(cfg, api.AddPlugin(resolvers{}))
}
