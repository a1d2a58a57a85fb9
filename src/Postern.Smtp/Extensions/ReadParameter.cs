using Postern.Smtp.Dialogue;
using Postern.Smtp.Replies;

namespace Postern.Smtp.Extensions;

/// <summary>
/// Reads the value of one parameter into <paramref name="parameters"/>; the value is empty where there was no <c>=</c>. Answers an
/// objection, or null. Called at most once a command for each keyword.
/// </summary>
internal delegate Reply? ReadParameter<T>(SmtpSession session, ReadOnlySpan<byte> value, ref T parameters);
