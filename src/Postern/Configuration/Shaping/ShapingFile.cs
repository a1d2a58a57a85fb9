using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Postern.Configuration.Reading;
using Postern.Relay.Delivery.Shaping;
using Postern.Smtp.Grammar;

namespace Postern.Configuration.Shaping;

/// <summary>The file that <c>delivery.shaping</c> names: what is said about destinations, routes and tenants, beside the rest.</summary>
/// <param name="WithShipped">What ships with the program counts where it says nothing.</param>
internal sealed record ShapingFile(ImmutableArray<ShapingEntry> Entries, bool WithShipped)
{
    public static ShapingFile None { get; } = new([], WithShipped: true);

    private static readonly Kind<string> Domains = new(
        "domain", "a domain such as example.net, or .example.net for all below it", TryPattern, []);

    private static readonly Kind<string> Hosts = new(
        "host", "a host such as mx.example.net, or \"*.example.net\" for all below it", TryPattern, []);

    /// <param name="routes">The names of all routes.</param>
    public static ShapingFile Read(Section section, IReadOnlyCollection<string> routes)
    {
        var shipped = section.Value(
            "shipped",
            Kinds.Word(("true", true), ("false", false)),
            fallback: true,
            "true",
            "`false`: what ships with the program about large receivers does not count.");
        var all = section.OptionalChild("default", ReadDefault, "What is said about all mail.");
        var entries = section.Children(
            "entries",
            one => ReadEntry(one, routes),
            [],
            "What is said about some of it: mail to domains or hosts, by a route, of a tenant.");
        foreach (var (entry, i) in entries.Select(static (entry, i) => (entry, i)))
        {
            if (entry.IsDefault && !section.IsDescribing)
                section.Report("entries", i, "an entry without a condition; what is about all mail stands under 'default'");
        }

        return new ShapingFile([.. all is null ? [] : new[] { all }, .. entries], shipped);
    }

    private static ShapingEntry ReadDefault(Section section) => new() { Values = ShapingValues.Read(section) };

    private static ShapingEntry ReadEntry(Section section, IReadOnlyCollection<string> routes)
    {
        var entry = new ShapingEntry
        {
            Domains = section.List(
                "domain", Domains, [], "any", "For mail to the mail exchangers of these domains; `.example.net` for all below it."),
            Hosts = section.List(
                "mx",
                Hosts,
                [],
                "any",
                "For mail to hosts of these names, `\"*.example.net\"` for all below it: of a domain its first mail exchanger counts, "
                    + "of a route its first server."),
            Route = section.Value<string?>(
                "route",
                Kinds.Text!,
                fallback: null,
                "any",
                "For mail that this route decides about, by its name as `postern explain` has it."),
            Tenant = section.Value<string?>("tenant", Kinds.Text!, fallback: null, "any", "For mail of accounts of this tenant."),
            Values = ShapingValues.Read(section),
        };
        foreach (var key in (string[])["domain", "mx"])
        {
            if (section.HasEmptyList(key))
                section.Report(key, "the list is empty", "at least one, or the key left out");
        }

        if (entry.Route is { } route && !routes.Contains(route))
            section.Report(
                "route",
                $"there is no route '{route}'",
                routes.Count > 0 ? $"one of {string.Join(", ", routes.Select(static r => $"'{r}'"))}" : "a route in delivery.routes");
        if (entry.Tenant is not null)
        {
            foreach (var key in entry.Values.Keys.Where(static k => !k.IsForTenants))
                section.Report(key.Name, "tenants share connections: this cannot be said of one", "an entry without 'tenant'");
        }

        return entry;
    }

    /// <summary>A name, or a pattern for all names below one, which is kept with its dot.</summary>
    private static bool TryPattern(string text, out string pattern)
    {
        pattern = text.StartsWith("*.", StringComparison.Ordinal) ? text[1..] : text;
        var name = pattern.StartsWith('.') ? pattern[1..] : pattern;
        if (!Domain.TryParse(Encoding.ASCII.GetBytes(name), out var domain) || domain.Literal is not null || !Ascii.IsValid(name))
            return System.Net.IPAddress.TryParse(name, out _);
        pattern = pattern.ToLower(CultureInfo.InvariantCulture);
        return true;
    }
}
