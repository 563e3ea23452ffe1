// Package graph is the GraphQL door: thin resolvers over the same verbs and
// queries as the pages.
package graph
