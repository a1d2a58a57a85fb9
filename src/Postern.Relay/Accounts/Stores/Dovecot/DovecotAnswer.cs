using Postern.Relay.Accounts.Dovecot;
using Postern.Sasl;

namespace Postern.Relay.Accounts.Stores.Dovecot;

/// <summary>What Dovecot says to a request: the client's next message is wanted, yes, no, or nothing that can be used.</summary>
internal abstract record DovecotAnswer
{
    private DovecotAnswer()
    {
    }

    /// <summary>The exchange goes on; <paramref name="Data"/> is for the client.</summary>
    public sealed record Goes(byte[] Data) : DovecotAnswer;

    /// <summary>It is <paramref name="User"/>, as Dovecot calls him.</summary>
    public sealed record Ok(string User) : DovecotAnswer
    {
        /// <summary>Who has proven himself, where that is another one, who may act for the user (a master user); else null.</summary>
        public string? ProvenBy { get; init; }

        /// <summary>What the mechanism has to say with its success; null for nothing.</summary>
        public byte[]? Data { get; init; }

        /// <summary>The password is right, and the user may not log in all the same (<c>nologin</c>).</summary>
        public bool IsShutOut { get; init; }

        /// <summary>In Dovecot's words; null for none.</summary>
        public string? Reason { get; init; }
    }

    /// <param name="Refusal">Why.</param>
    /// <param name="User">As Dovecot calls him; null where it does not say.</param>
    /// <param name="Reason">In its words; null for none.</param>
    public sealed record Fail(DovecotRefusal Refusal, string? User, string? Reason) : DovecotAnswer;

    /// <summary>There is no answer, and <paramref name="Why"/> is for the audit trail; it quotes nothing that was sent.</summary>
    /// <param name="IsLost">The connection ended: another one may fare better.</param>
    public sealed record Broken(string Why, bool IsLost = false) : DovecotAnswer;

    /// <summary>Reads what stands behind the number of the request.</summary>
    /// <param name="word">The first of the line.</param>
    /// <returns>Null where it is no answer to a request.</returns>
    public static DovecotAnswer? Read(ReadOnlySpan<byte> word, AuthFields fields)
    {
        if (word.SequenceEqual("OK"u8))
            return ReadOk(fields);
        if (word.SequenceEqual("FAIL"u8))
            return ReadFail(fields);
        if (!word.SequenceEqual("CONT"u8))
            return null;
        _ = fields.TryTake(out var data);
        return StrictBase64.TryDecode(data, out var octets) ? new Goes(octets) : new Broken("what it has for the client is not base64");
    }

    private static DovecotAnswer ReadOk(AuthFields fields)
    {
        var ok = new Ok(string.Empty);
        while (fields.TryTake(out var field))
        {
            var value = Split(field, out var name);
            switch (name)
            {
                case "user":
                    ok = ok with { User = AuthLine.TextOf(value) };
                    break;
                case "auth_user":
                    ok = ok with { ProvenBy = AuthLine.TextOf(value) };
                    break;
                case "nologin":
                    ok = ok with { IsShutOut = true };
                    break;
                case "reason":
                    ok = ok with { Reason = AuthLine.TextOf(value) };
                    break;
                case "resp" when !StrictBase64.TryDecode(value, out _):
                    return new Broken("what it has for the client is not base64");
                case "resp":
                    _ = StrictBase64.TryDecode(value, out var data);
                    ok = ok with { Data = data };
                    break;
            }
        }

        return ok.User.Length > 0 ? ok : new Broken("it says yes and does not say to whom (no 'user')");
    }

    private static Fail ReadFail(AuthFields fields)
    {
        var fail = new Fail(DovecotRefusal.Wrong, User: null, Reason: null);
        while (fields.TryTake(out var field))
        {
            var value = Split(field, out var name);
            fail = name switch
            {
                "user" => fail with { User = AuthLine.TextOf(value) },
                "reason" => fail with { Reason = AuthLine.TextOf(value) },
                "code" => fail with { Refusal = RefusalOf(AuthLine.TextOf(value), isCode: true) ?? fail.Refusal },
                // Dovecot 2.2 has words of their own in place of codes.
                _ when value.IsEmpty => fail with { Refusal = RefusalOf(name, isCode: false) ?? fail.Refusal },
                _ => fail,
            };
        }

        return fail;
    }

    /// <summary>A code that is new says nothing of the password.</summary>
    private static DovecotRefusal? RefusalOf(string word, bool isCode) => word switch
    {
        "temp_fail" or "temp" => DovecotRefusal.Temporary,
        "authz_fail" or "authz" => DovecotRefusal.MayNotAct,
        "user_disabled" => DovecotRefusal.Disabled,
        "pass_expired" => DovecotRefusal.Expired,
        "invalid_base64" => DovecotRefusal.Malformed,
        _ => isCode ? DovecotRefusal.Unknown : null,
    };

    private static ReadOnlySpan<byte> Split(ReadOnlySpan<byte> field, out string name)
    {
        var equals = field.IndexOf((byte)'=');
        name = AuthLine.TextOf(equals < 0 ? field : field[..equals]);
        return equals < 0 ? default : field[(equals + 1)..];
    }
}

/// <summary>Why Dovecot says no.</summary>
internal enum DovecotRefusal
{
    /// <summary>The name or the secret is wrong; so is all that comes without a code.</summary>
    Wrong,

    /// <summary>It cannot say now.</summary>
    Temporary,

    /// <summary>The secret is right, and may not be used for the user that was asked for.</summary>
    MayNotAct,

    Disabled,

    Expired,

    /// <summary>It did not understand what was sent.</summary>
    Malformed,

    /// <summary>A code that nobody knows here.</summary>
    Unknown,
}
