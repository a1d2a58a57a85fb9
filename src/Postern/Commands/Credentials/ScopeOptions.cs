using System.Collections.Immutable;
using System.CommandLine;
using Postern.Commands.Output;
using Postern.Configuration;
using Postern.Relay.Accounts;
using Postern.Relay.Admin;

namespace Postern.Commands.Credentials;

/// <summary>The options that say to what a credential is limited.</summary>
internal sealed class ScopeOptions
{
    /// <summary>Lifts a limit, in the place of a value.</summary>
    public const string Any = "any";

    private readonly string lift;

    /// <param name="lifts">Limits that are there can be lifted.</param>
    public ScopeOptions(bool lifts)
    {
        lift = lifts ? $"; {Any} lifts the limit" : string.Empty;
        Listener = Of("--listener", "Good on this listener; may be repeated", "NAME");
        Network = Of("--network", "Good for clients of this network, or this one address; may be repeated", "CIDR");
        Sender = Of("--sender", "May send as this address, or any of @domain, of those that its account may; may be repeated", "ADDRESS");
        FirstNetwork = new Option<bool>("--first-network")
        {
            Description =
                "This device only: it belongs to the address (IPv6: the /64) that uses it first" + (lifts ? ", from now on" : string.Empty),
        };
    }

    public Option<string[]> Listener { get; }

    public Option<string[]> Network { get; }

    public Option<string[]> Sender { get; }

    public Option<bool> FirstNetwork { get; }

    public Symbol[] All => [Listener, Network, Sender, FirstNetwork];

    /// <summary>What was typed; null after the problem was printed.</summary>
    public CredentialScope? Read(Terminal terminal, ParseResult arguments, PosternConfiguration configuration)
    {
        var listeners = ListOf(arguments, Listener);
        var networks = ListOf(arguments, Network);
        string[] known = [.. configuration.Listeners.Select(static one => one.Name).OfType<string>()];
        foreach (var name in listeners.IsDefault ? [] : listeners)
        {
            if (known.Contains(name, StringComparer.OrdinalIgnoreCase))
                continue;
            terminal.Fail(
                $"there is no listener '{name}'{NearestName.Hint(name, known)}",
                known.Length == 0 ? "The configuration names none." : $"There are {string.Join(", ", known)}.",
                ExitCode.Usage);
            return null;
        }

        return new CredentialScope(listeners, networks, ListOf(arguments, Sender))
        {
            // Whoever lifts the limit to networks means this one, too.
            FirstNetwork = arguments.GetValue(FirstNetwork) ? true : networks is { IsDefault: false, IsEmpty: true } ? false : null,
        };
    }

    /// <summary>Default where the option was not said, empty where it lifts.</summary>
    private static ImmutableArray<string> ListOf(ParseResult arguments, Option<string[]> option) => arguments.GetValue(option) switch
    {
        null or [] => default,
        [Any] => [],
        var some => [.. some],
    };

    private Option<string[]> Of(string name, string description, string help) =>
        new(name) { Description = description + lift, HelpName = help };
}
