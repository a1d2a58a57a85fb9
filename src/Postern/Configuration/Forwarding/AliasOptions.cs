using System.Collections.Immutable;
using Postern.Configuration.Reading;
using Postern.Relay.Delivery.Aliases;
using Postern.Smtp.Grammar;

namespace Postern.Configuration.Forwarding;

/// <summary>One entry of <c>delivery.aliases</c> or of <c>delivery.forwards</c>: a file, read when a server is made of it.</summary>
/// <param name="File">Absolute; null where the entry was wrong.</param>
/// <param name="Domains">Empty: the name of this machine.</param>
internal sealed record AliasOptions(string? File, AliasForm Form, ImmutableArray<Domain> Domains)
{
    /// <summary>The key that an entry stands for which is a path alone.</summary>
    public const string Shorthand = "file";

    private static readonly Kind<string> Allowed = Kinds.Word(("commands", "commands"), ("mailboxes", "mailboxes"));

    public bool AllowsCommands { get; init; }

    public bool AllowsMailboxes { get; init; }

    public bool SendsByVerp { get; init; }

    public static AliasOptions ReadAliases(Section section)
    {
        var options = Read(
            section,
            AliasForm.Aliases,
            "A file of lines `name: target, target`. Read again when it changes, as what it includes is.");
        var allowed = section.List(
            "allow",
            Allowed,
            [],
            "neither",
            "What lines may name beside addresses: `commands` of this machine, and `mailboxes`, which are Maildirs.");
        var verp = section.Value(
            "verp",
            Kinds.Word(("true", true), ("false", false)),
            fallback: false,
            "false",
            "`true`: each member of a list (a name with an `owner-NAME`) gets the message in a transaction of its own, "
                + "from `owner-NAME+member=domain`: reports name the member that they are about.");
        return options with
        {
            SendsByVerp = verp,
            AllowsCommands = allowed.Contains("commands"), AllowsMailboxes = allowed.Contains("mailboxes"),
        };
    }

    public static AliasOptions ReadForwards(Section section) =>
        Read(section, AliasForm.Forwards, "A file of lines `user@domain target, target` and `@domain target`. Read again when it changes.");

    public AliasSource ToSource(Domain hostname) => new(File!, Form, Domains.IsEmpty ? [hostname, Domain.Parse("localhost")] : Domains)
    {
        AllowsCommands = AllowsCommands,
        AllowsMailboxes = AllowsMailboxes,
        SendsByVerp = SendsByVerp,
    };

    private static AliasOptions Read(Section section, AliasForm form, string doc) => new(
        section.RequiredReadFile(Shorthand, doc),
        form,
        section.List(
            "domains",
            Kinds.DomainName,
            [],
            "`server.hostname` and localhost",
            "Whose names the lines without a domain are. That a domain is accepted is said in `domains` at the top."));
}
