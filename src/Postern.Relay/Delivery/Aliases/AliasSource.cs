using System.Collections.Immutable;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Aliases;

/// <summary>A file that says where mail for some addresses goes on to, and what is allowed in it.</summary>
/// <param name="File">Absolute.</param>
/// <param name="Domains">Names that stand in it without a domain are those of these domains.</param>
public sealed record AliasSource(string File, AliasForm Form, ImmutableArray<Domain> Domains)
{
    /// <summary>Lines may give mail to a command of this machine.</summary>
    public bool AllowsCommands { get; init; }

    /// <summary>
    /// Each member of a list in it gets the message with a sender of its own (<see cref="Postern.Smtp.Session.VerpDelimiters"/>).
    /// </summary>
    public bool SendsByVerp { get; init; }

    /// <summary>Lines may put mail into a Maildir.</summary>
    public bool AllowsMailboxes { get; init; }
}

/// <summary>How the lines of such a file are written.</summary>
public enum AliasForm
{
    /// <summary><c>name: target, target</c>, as in <c>/etc/aliases</c> of sendmail and Postfix.</summary>
    Aliases,

    /// <summary><c>user@domain target, target</c> and <c>@domain target</c>, as Postfix's virtual(5).</summary>
    Forwards,
}

/// <summary>What is wrong with such a file, or should be known of it.</summary>
/// <param name="Source">Which of the sources.</param>
/// <param name="File">That file, or one that it includes.</param>
/// <param name="Line">From 1; 0 where the file as a whole is meant.</param>
/// <param name="Words">For the operator.</param>
public sealed record AliasProblem(int Source, string File, int Line, string Words);
