using System.Text;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Envelopes;

/// <summary>The local part of an address as the text that it means, for addresses that are made of others.</summary>
internal static class LocalPart
{
    /// <summary>Without quotes.</summary>
    public static string Of(Mailbox mailbox)
    {
        var local = mailbox.LocalPart;
        if (!local.StartsWith('"'))
            return local;
        var plain = new StringBuilder(local.Length);
        for (var i = 1; i < local.Length - 1; i++)
            plain.Append(local[i] == '\\' ? local[++i] : local[i]);
        return plain.ToString();
    }

    /// <summary>With the quotes that it needs; null where that is no address, as it is too long.</summary>
    public static Mailbox? At(string plain, Domain domain)
    {
        if (!plain.AsSpan().ContainsAny('"', '\\', '@') && Mailbox.TryParse($"{plain}@{domain.Text}", out var mailbox))
            return mailbox;
        var quoted = plain.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
        return Mailbox.TryParse($"\"{quoted}\"@{domain.Text}", out mailbox) ? mailbox : null;
    }
}
