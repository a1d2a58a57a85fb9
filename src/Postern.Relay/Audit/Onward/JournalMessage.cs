using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Postern.Relay.Audit.Onward;

/// <summary>
/// An event in the form of the journal's protocol: <c>FIELD=value</c> and a line feed, or where the value holds one itself the name, a line
/// feed, the length in 8 octets and the value. What the event can be found by has a field of its own.
/// </summary>
internal static class JournalMessage
{
    public static void Write(IBufferWriter<byte> message, LogLine line)
    {
        var (audit, traits) = (line.Audit, line.Audit.Traits);
        Field(message, "MESSAGE"u8, line.Text.Span);
        Field(message, "PRIORITY"u8, SyslogMessage.SeverityOf(audit).ToString(CultureInfo.InvariantCulture));
        Field(message, "SYSLOG_FACILITY"u8, SyslogMessage.FacilityOf(audit).ToString(CultureInfo.InvariantCulture));
        Field(message, "SYSLOG_IDENTIFIER"u8, "postern");
        Field(message, "POSTERN_EVENT"u8, audit.Name);
        Field(message, "POSTERN_ID"u8, audit.Id);
        Field(message, "POSTERN_USER"u8, traits.User);
        Field(message, "POSTERN_CLIENT"u8, traits.Client);
        Field(message, "POSTERN_SESSION"u8, traits.Session);
        Field(message, "POSTERN_REF"u8, traits.Ref);
        Field(message, "POSTERN_QUEUE_ID"u8, traits.QueueId);
        Field(message, "POSTERN_OUTCOME"u8, traits.Outcome);
        Field(message, "POSTERN_RULE"u8, traits.Rule);
    }

    private static void Field(IBufferWriter<byte> message, ReadOnlySpan<byte> name, string? value)
    {
        if (value is not null)
            Field(message, name, Encoding.UTF8.GetBytes(value));
    }

    private static void Field(IBufferWriter<byte> message, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        message.Write(name);
        if (value.Contains((byte)'\n'))
        {
            Span<byte> length = stackalloc byte[sizeof(long)];
            BinaryPrimitives.WriteInt64LittleEndian(length, value.Length);
            message.Write("\n"u8);
            message.Write(length);
        }
        else
        {
            message.Write("="u8);
        }

        message.Write(value);
        message.Write("\n"u8);
    }
}
