using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using Postern.Smtp.Message;

namespace Postern.Relay.Dkim;

/// <summary>
/// Which fields of a header a signature is over (RFC 6376 §5.4), and they themselves as they are signed. The last field of a name is
/// signed first (§5.4.2). A name that stands once more than there are fields of it lets nobody add another (§8.15).
/// </summary>
internal static class SignedFields
{
    private const string Signature = "DKIM-Signature";

    /// <summary>Of one name so many are signed at most; no message that a program wrote has more.</summary>
    private const int MostOfOneName = 100;

    /// <summary>Signed, and closed against another: what a reader sees, or what decides how the body is shown.</summary>
    private static readonly ImmutableArray<string> Closed =
    [
        "From", "Subject", "To", "Date", "Message-ID", "Cc", "Reply-To", "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
    ];

    /// <summary>Signed where they are there; who forwards, or sends again, may add one.</summary>
    private static readonly ImmutableArray<string> Open =
    [
        "Sender", "In-Reply-To", "References", "Content-ID", "Content-Description", "Content-Disposition", "List-Id", "List-Help",
        "List-Unsubscribe", "List-Unsubscribe-Post", "List-Subscribe", "List-Post", "List-Owner", "List-Archive", "Feedback-ID",
        "Resent-From", "Resent-Sender", "Resent-To", "Resent-Cc", "Resent-Date", "Resent-Message-ID",
    ];

    private static readonly ImmutableArray<string> Names = [.. Closed, .. Open];

    /// <summary>Writes the fields in the order of the answer, each with its CRLF.</summary>
    /// <param name="header">All fields of the message, from the topmost on.</param>
    /// <param name="withSignatures">Those of DKIM are signed too, as who forwards should (RFC 8617 §4.1.2); others may be added.</param>
    /// <returns>The names for the tag <c>h=</c>; null where there is no From, without which nothing is signed (§5.4).</returns>
    public static List<string>? Write(
        ArrayBufferWriter<byte> to, ReadOnlySpan<byte> header, DkimCanonicalization how, bool withSignatures = false)
    {
        var found = new List<(int Name, Range Field)>();
        var fields = new HeaderSection(header);
        while (fields.TryNext())
        {
            if (IndexOf(fields.Name) is >= 0 and var name)
                found.Add((name, fields.Start..fields.End));
            else if (withSignatures && fields.Is(Signature))
                found.Add((Names.Length, fields.Start..fields.End));
        }

        if (!found.Exists(static f => f.Name == 0))
            return null;
        var names = new List<string>(Closed.Length + found.Count);
        for (var name = 0; name <= Names.Length; name++)
        {
            var count = 0;
            for (var i = found.Count - 1; i >= 0 && count < MostOfOneName; i--)
            {
                if (found[i].Name != name)
                    continue;
                CanonicalField.Write(to, header[found[i].Field], how);
                to.Write("\r\n"u8);
                names.Add(name < Names.Length ? Names[name] : Signature);
                count++;
            }

            if (name < Closed.Length)
                names.Add(Names[name]);
        }

        return names;
    }

    private static int IndexOf(ReadOnlySpan<byte> name)
    {
        for (var i = 0; i < Names.Length; i++)
        {
            if (Names[i].Length == name.Length && Ascii.EqualsIgnoreCase(name, Names[i]))
                return i;
        }

        return -1;
    }
}
