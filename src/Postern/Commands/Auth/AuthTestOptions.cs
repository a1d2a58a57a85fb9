using System.CommandLine;
using Postern.Relay.Accounts;
using Postern.Sasl.Client;

namespace Postern.Commands.Auth;

/// <summary>What <c>auth test</c> can be asked.</summary>
internal sealed class AuthTestOptions
{
    public AuthTestOptions()
    {
        Mechanism.Validators.Add(static result =>
        {
            if (result.GetValueOrDefault<string?>() is { } name && Find(name) is null)
                result.AddError(
                    $"there is no mechanism "
                        + $"'{name}'{NearestName.Hint(name.ToUpperInvariant(), SaslClientMechanisms.All.Select(static m => m.Name))}");
        });
    }

    public Argument<string> User { get; } = new("USER") { Description = "The login name, as a client would send it" };

    public Option<string?> Mechanism { get; } = new("--mechanism")
    {
        Description = "Only this one, with each message; unless said, every one that a listener offers",
        HelpName = "MECHANISM",
    };

    public Option<string?> Via { get; } = new("--via")
    {
        Description = "Ask this store alone, configured or not: directory, file:///path, digest:///path",
        HelpName = "STORE",
    };

    public Option<string?> Listener { get; } = new("--listener")
    {
        Description = "As on this listener: the stores that it asks, the mechanisms that it offers",
        HelpName = "NAME",
    };

    public Option<string?> ActAs { get; } = new("--act-as") { Description = "On behalf of this account", HelpName = "ACCOUNT" };

    public Option<bool> Token { get; } = new("--token") { Description = "What is read is a bearer token, not a password" };

    /// <summary>In the order in which help shows them.</summary>
    public Symbol[] All => [User, Mechanism, Via, Listener, ActAs, Token];

    /// <summary>Refuses what must not stand together.</summary>
    public void Guard(Command command) => command.Validators.Add(result =>
    {
        if (result.GetValue(Via) is not null && result.GetValue(Listener) is not null)
            result.AddError("it takes --via or --listener: a listener says itself which stores are asked");
    });

    private static ISaslClientMechanism? Find(string name) =>
        SaslClientMechanisms.All.FirstOrDefault(m => m.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
}
