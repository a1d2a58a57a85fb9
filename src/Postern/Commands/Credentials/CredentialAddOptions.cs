using System.CommandLine;
using System.CommandLine.Parsing;
using Postern.Commands.Output;
using Postern.Configuration;
using Postern.Relay.Accounts.Hashes;
using Postern.Relay.Admin;

namespace Postern.Commands.Credentials;

/// <summary>What is said of a new secret: whose it is, how it is made and kept, and what it is good for.</summary>
internal sealed class CredentialAddOptions
{
    private readonly bool replaces;
    private readonly Argument<string> account = CredentialCommand.Account();
    private readonly Argument<string?> replaced = new("CREDENTIAL")
    {
        Description = "Which one: its label or number; may be left out where there is only one",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<bool> generate = new("--generate")
    {
        Description = "Make a secret and print it once; this is what happens unless --password-stdin is said",
    };

    private readonly Option<bool> app = new("--app")
    {
        Description = "An app password: for one program or device, made and shown once, never in the way of other secrets",
    };

    private readonly Option<string> form = new("--form")
    {
        Description =
            $"How it is kept, which decides the mechanisms that can use it: "
                + $"{string.Join(", ", HashSchemes.ForAccounts.Select(static s => s.Name))}",
        HelpName = "FORM",
        DefaultValueFactory = static _ => HashSchemes.Usual.Name,
    };

    private readonly Option<string?> realm = new("--realm")
    {
        Description = "With --form digest-md5: the realm, which is part of the hash; unless said that of postern.yaml",
        HelpName = "REALM",
    };

    private readonly Option<string?> label;
    private readonly Option<TimeSpan?> expires;
    private readonly ScopeOptions scope;

    /// <param name="replaces">It takes the place of another one, whose label, end and limits stay unless others are said.</param>
    public CredentialAddOptions(bool replaces)
    {
        this.replaces = replaces;
        form.AcceptOnlyFromAmong([.. HashSchemes.ForAccounts.Select(static s => s.Name)]);
        label = new Option<string?>("--label")
        {
            Description =
                $"Where it is used, such as printer; unique within the "
                    + $"account{(replaces ? "; that of the old one unless said" : string.Empty)}",
            HelpName = "LABEL",
        };
        expires = new Option<TimeSpan?>("--expires")
        {
            Description = $"How long it is good for, such as 90d; {(replaces ? "as long as the old one" : "for ever")} unless said",
            HelpName = "DURATION",
            CustomParser = ParsedArguments.Duration,
        };
        scope = new ScopeOptions(lifts: replaces);
    }

    /// <summary>A person has chosen the password, and it is read from standard input.</summary>
    public Option<bool> Typed { get; } = new("--password-stdin") { Description = "Take the first line of standard input as the password" };

    public Symbol[] All =>
    [
        account, .. replaces ? new Symbol[] { replaced } : [], generate, Typed, .. replaces ? [] : new Symbol[] { app },
        form, realm, label, expires, .. scope.All,
    ];

    /// <summary>What excludes each other.</summary>
    public void Check(CommandResult result)
    {
        if (result.GetValue(generate) && result.GetValue(Typed))
            result.AddError("--generate and --password-stdin exclude each other");
        if (result.GetValue(app) && result.GetValue(Typed))
            result.AddError("an app password is made, and not chosen: leave out --password-stdin");
        if (result.GetValue(app) && result.GetValue(label) is null)
            result.AddError("an app password needs --label: where it is used, such as phone");
        if (result.GetResult(realm) is { Implicit: false }
            && HashSchemes.Find(result.GetValue(form) ?? string.Empty) is not { NeedsRealm: true })
            result.AddError("--realm is for --form digest-md5");
    }

    /// <summary>What was typed, without the password; null after the problem was printed.</summary>
    public AddCredential? Read(Terminal terminal, ParseResult arguments, PosternConfiguration configuration)
    {
        var scheme = HashSchemes.Find(arguments.GetRequiredValue(form))!;
        if (scope.Read(terminal, arguments, configuration) is not { } limits)
            return null;
        var whose = arguments.GetRequiredValue(account);
        return new(whose, Typed: null, arguments.GetValue(label), arguments.GetValue(expires))
        {
            Scheme = scheme,
            Realm = scheme.NeedsRealm ? arguments.GetValue(realm) ?? configuration.DirectoryRealm : null,
            IsApp = !replaces && arguments.GetValue(app),
            Scope = limits,
            Replaces = replaces ? new RevokeCredential(whose, arguments.GetValue(replaced)) : null,
        };
    }
}
