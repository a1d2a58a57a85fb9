using System.ComponentModel;
using System.Text;

namespace Postern.Sasl.Verifiers;

/// <summary>
/// A password that the client revealed. It prints as <c>***</c>, and is valid only while the check it was given to runs: a view of the
/// session's own buffer, so that nothing of it is left on the heap. A <see cref="Secret"/> is the opposite, text that somebody owns and
/// keeps.
/// </summary>
public sealed class Password
{
    private const string NotEquals = "a password is not a text and never equal to one: Matches compares them";

    /// <summary>Views <paramref name="octets"/>, at least one, which stay the caller's.</summary>
    public Password(ReadOnlyMemory<byte> octets) => Octets = octets;

    /// <summary>UTF-8, as the client sent it; at least one octet.</summary>
    public ReadOnlyMemory<byte> Octets { get; }

    /// <summary>Compares in a time that does not depend on where the two differ.</summary>
    public bool Matches(string expected) =>
        Secret.IsSame(Octets.Span, expected);

    /// <summary>It would be false whatever the text is, so it does not compile: <see cref="Matches"/> is meant.</summary>
    [Obsolete(NotEquals, error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public bool Equals(string? text) => throw new NotSupportedException(NotEquals);

    /// <summary>The password as a string, for an API that takes nothing else. A string cannot be wiped: keep it out of logs.</summary>
    public string Reveal() => Encoding.UTF8.GetString(Octets.Span);

    /// <summary>Always <c>***</c>.</summary>
    public override string ToString() => "***";
}
