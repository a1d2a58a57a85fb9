using Postern.Relay.Delivery.Places;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Aliases;

/// <summary>One of the things that a line sends mail on to. A table keeps it as text (<see cref="Stored"/>).</summary>
internal abstract record AliasTarget
{
    private AliasTarget()
    {
    }

    /// <summary>An address.</summary>
    /// <param name="IsFinal">It was written behind a backslash: no alias is looked for behind it.</param>
    public sealed record Address(Mailbox Mailbox, bool IsFinal) : AliasTarget;

    /// <summary>A name without a domain: that of the address whose line it is.</summary>
    /// <param name="LocalPart">With the quotes that it needs.</param>
    /// <param name="IsFinal">As for <see cref="Address"/>.</param>
    public sealed record Name(string LocalPart, bool IsFinal) : AliasTarget;

    /// <summary>The same name at another domain.</summary>
    public sealed record SameNameAt(Domain Domain) : AliasTarget;

    /// <summary>A command or a Maildir of this machine.</summary>
    public sealed record Local(IHopPlace Place) : AliasTarget;

    /// <summary><c>/dev/null</c>.</summary>
    public sealed record Nowhere : AliasTarget
    {
        public static Nowhere Instance { get; } = new();
    }

    /// <summary>One line of text: a letter for the kind, and what is needed to have it again.</summary>
    public string Stored => this switch
    {
        Address { IsFinal: true } final => $"F{final.Mailbox.Address}",
        Address address => $"A{address.Mailbox.Address}",
        Name { IsFinal: true } final => $"N{final.LocalPart}",
        Name name => $"L{name.LocalPart}",
        SameNameAt same => $"E{same.Domain.Text}",
        Local { Place: PipePlace pipe } => $"C{pipe.Text}",
        Local { Place: MaildirPlace maildir } => $"M{maildir.Path}",
        _ => "D",
    };

    /// <exception cref="FormatException">Not what <see cref="Stored"/> writes.</exception>
    public static AliasTarget OfStored(string stored) => (stored[0], stored[1..]) switch
    {
        ('A', var text) => new Address(Mailbox.Parse(text), IsFinal: false),
        ('F', var text) => new Address(Mailbox.Parse(text), IsFinal: true),
        ('L', var text) => new Name(text, IsFinal: false),
        ('N', var text) => new Name(text, IsFinal: true),
        ('E', var text) => new SameNameAt(Domain.Parse(text)),
        ('C', var text) when PipePlace.Read(text, out var place) is null => new Local(place!),
        ('M', var text) when MaildirPlace.Read(text, out var place) is null => new Local(place!),
        ('D', _) => Nowhere.Instance,
        _ => throw new FormatException($"'{stored}' is no target of an alias"),
    };
}
