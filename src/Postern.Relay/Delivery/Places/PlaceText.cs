using System.Text;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Delivery.Places;

/// <summary>
/// The parts of a place that differ by message: <c>{user}</c> and <c>{domain}</c> of the recipient, <c>{recipient}</c>, <c>{sender}</c> and
/// <c>{queue_id}</c>. What is put in is never read again: no value can hold another placeholder.
/// </summary>
internal static class PlaceText
{
    /// <summary>What is said for the null reverse-path, as Postfix does (null_sender): programs do not expect an empty name.</summary>
    private const string NullSender = "MAILER-DAEMON";

    /// <summary>What a sender is told of a delivery here: where mailboxes and commands are is nobody's business.</summary>
    public const string Delivered = "delivered to the mailbox";

    private static readonly string[] Names = ["user", "domain", "recipient", "sender", "queue_id"];

    public static bool IsPlain(string text) => !text.Contains('{', StringComparison.Ordinal);

    /// <summary>What is wrong with a text; null when it can be filled in.</summary>
    /// <param name="known">The names that may stand in it.</param>
    public static string? WhyNot(string text, params ReadOnlySpan<string> known)
    {
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] == '}')
                return "a } without its {";
            if (text[at] != '{')
                continue;
            var end = text.IndexOf('}', at);
            if (end < 0)
                return "a { without its }";
            if (!known.Contains(text[(at + 1)..end]))
                return $"'{text[at..(end + 1)]}' is not known here; there is {{{string.Join("}, {", known)}}}";
            at = end;
        }

        return null;
    }

    /// <summary>Every name that a message has a value for.</summary>
    public static ReadOnlySpan<string> All => Names;

    public static string Fill(string text, Func<string, string> valueOf)
    {
        if (IsPlain(text))
            return text;
        var filled = new StringBuilder(text.Length + 32);
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] != '{')
            {
                filled.Append(text[at]);
                continue;
            }

            var end = text.IndexOf('}', at);
            filled.Append(valueOf(text[(at + 1)..end]));
            at = end;
        }

        return filled.ToString();
    }

    /// <summary>The value of a name for one recipient.</summary>
    public static string ValueOf(string name, Mailbox recipient, ReversePath sender, string id) => name switch
    {
        "user" => UserOf(recipient),
        "domain" => recipient.Domain.Text,
        "recipient" => recipient.Address,
        "sender" => sender.Mailbox?.Address ?? NullSender,
        _ => id,
    };

    /// <summary>The local part in lower case, without the quotes that it may need on the wire.</summary>
    public static string UserOf(Mailbox recipient)
    {
        var canonical = recipient.Canonical;
        var local = canonical.AsSpan(0, canonical.LastIndexOf('@'));
        if (local is not ['"', .., '"'])
            return local.ToString();
        var plain = new StringBuilder(local.Length);
        for (var i = 1; i < local.Length - 1; i++)
        {
            if (local[i] == '\\' && i + 1 < local.Length - 1)
                i++;
            plain.Append(local[i]);
        }

        return plain.ToString();
    }
}
