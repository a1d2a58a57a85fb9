using System.Runtime.InteropServices;
using System.Text;

namespace Postern.Sasl.Kerberos;

/// <summary>
/// One half of one exchange (<c>gss_ctx_id_t</c>). One thread at a time; an exchange that is abandoned leaves it to the finalizer.
/// </summary>
internal sealed class KerberosContext(GssCredential credential) : SafeHandle(invalidHandleValue: 0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    /// <summary>The client's half: reads one token of the service, and answers with the next.</summary>
    /// <param name="target">The service, as <c>smtp@mail.example.org</c>.</param>
    public unsafe KerberosAnswer Initiate(string target, ReadOnlySpan<byte> token)
    {
        var isHeld = false;
        nint imported = 0;
        uint ignored;
        try
        {
            credential.DangerousAddRef(ref isHeld);
            fixed (byte* octets = token, targetOctets =
                Encoding.UTF8.GetBytes(target), serviceOid = GssLibrary.HostBasedServiceOid, kerberosOid = GssLibrary.KerberosOid)
            {
                var name = new GssLibrary.Octets { Length = (nuint)Encoding.UTF8.GetByteCount(target), Value = targetOctets };
                var nameType = new GssLibrary.Oid { Length = (uint)GssLibrary.HostBasedServiceOid.Length, Elements = serviceOid };
                var kerberos = new GssLibrary.Oid { Length = (uint)GssLibrary.KerberosOid.Length, Elements = kerberosOid };
                var input = new GssLibrary.Octets { Length = (nuint)token.Length, Value = octets };
                GssLibrary.Octets answer = default;
                uint minor;
                var context = handle;
                var status = new GssStatus(GssLibrary.ImportName(&minor, &name, &nameType, &imported), minor);
                if (!status.IsError)
                    status = new GssStatus(
                        GssLibrary.InitiateContext(
                            &minor,
                            credential.DangerousGetHandle(),
                            &context,
                            imported,
                            &kerberos,
                            GssLibrary.MutualAndSigned,
                            0,
                            0,
                            &input,
                            null,
                            &answer,
                            null,
                            null),
                        minor);
                SetHandle(context);
                var reason = status.IsError ? status.ToString() : string.Empty;
                var reply = answer.Take();
                return status.IsError ? new KerberosAnswer.Refused(reason, status.IsOurs)
                    : status.WantsMore ? new KerberosAnswer.Continue(reply)
                    : new KerberosAnswer.Established(target, reply);
            }
        }
        finally
        {
            if (imported != 0)
                _ = GssLibrary.ReleaseName(&ignored, &imported);
            if (isHeld)
                credential.DangerousRelease();
        }
    }

    /// <summary>
    /// Reads one token of the client. No channel binding is asked for (RFC 4752 §3.2), and delegated tickets are thrown away.
    /// </summary>
    public unsafe KerberosAnswer Accept(ReadOnlySpan<byte> token)
    {
        var isHeld = false;
        nint source = 0;
        try
        {
            credential.DangerousAddRef(ref isHeld);
            fixed (byte* octets = token)
            {
                var input = new GssLibrary.Octets { Length = (nuint)token.Length, Value = octets };
                GssLibrary.Octets answer = default;
                uint minor;
                var context = handle;
                var status = new GssStatus(
                    GssLibrary.AcceptContext(
                        &minor, &context, credential.DangerousGetHandle(), &input, 0, &source, null, &answer, null, null, null), minor);
                SetHandle(context);

                // Said before anything else is called: the words are those of the thread's last call.
                var reason = status.IsError ? status.ToString() : string.Empty;
                var reply = answer.Take();
                return status.IsError ? new KerberosAnswer.Refused(reason, status.IsOurs)
                    : status.WantsMore ? new KerberosAnswer.Continue(reply)
                    : NameOf(source) is { } principal ? new KerberosAnswer.Established(principal, reply)
                    : new KerberosAnswer.Refused("the principal has no name in UTF-8", IsOurs: false);
            }
        }
        finally
        {
            uint ignored;
            if (source != 0)
                _ = GssLibrary.ReleaseName(&ignored, &source);
            if (isHeld)
                credential.DangerousRelease();
        }
    }

    /// <summary>Signs without encrypting; null when it cannot be.</summary>
    public unsafe byte[]? Wrap(ReadOnlySpan<byte> message)
    {
        fixed (byte* octets = message)
        {
            var input = new GssLibrary.Octets { Length = (nuint)message.Length, Value = octets };
            GssLibrary.Octets wrapped = default;
            uint minor;
            return GssLibrary.IsError(GssLibrary.Wrap(&minor, handle, 0, 0, &input, null, &wrapped)) ? null : wrapped.Take();
        }
    }

    /// <summary>Null when the signature is wrong.</summary>
    public unsafe byte[]? Unwrap(ReadOnlySpan<byte> wrapped)
    {
        fixed (byte* octets = wrapped)
        {
            var input = new GssLibrary.Octets { Length = (nuint)wrapped.Length, Value = octets };
            GssLibrary.Octets message = default;
            uint minor;
            return GssLibrary.IsError(GssLibrary.Unwrap(&minor, handle, &input, &message, null, null)) ? null : message.Take();
        }
    }

    protected override unsafe bool ReleaseHandle()
    {
        uint minor;
        var context = handle;
        return !GssLibrary.IsError(GssLibrary.DeleteContext(&minor, &context, null));
    }

    private static unsafe string? NameOf(nint name)
    {
        GssLibrary.Octets text = default;
        uint minor;
        if (GssLibrary.IsError(GssLibrary.DisplayName(&minor, name, &text, null)))
            return null;
        try
        {
            return new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(text.Take());
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}

/// <summary>What one half of Kerberos says to a token of the other.</summary>
internal abstract record KerberosAnswer
{
    private KerberosAnswer()
    {
    }

    /// <summary>The other half has more to show.</summary>
    public sealed record Continue(byte[] Token) : KerberosAnswer;

    /// <summary>
    /// The ticket is good; <paramref name="Token"/> proves this service to the client, and is empty where it did not ask for that.
    /// </summary>
    /// <param name="Principal">
    /// Of the other half, of a client with its realm; with <c>\</c> before what would be read as another part.
    /// </param>
    public sealed record Established(string Principal, byte[] Token) : KerberosAnswer;

    /// <param name="IsOurs">This service could have accepted nothing; else the client showed nothing good.</param>
    public sealed record Refused(string Reason, bool IsOurs) : KerberosAnswer;
}
