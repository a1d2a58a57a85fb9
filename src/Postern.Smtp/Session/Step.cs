using Postern.Smtp.Replies;

namespace Postern.Smtp.Session;

/// <summary>
/// What a verb decided: the reply (null only with <see cref="After.RunSasl"/> and <see cref="After.ReceiveChunk"/>), where the dialogue stands now (null: where it was), and
/// who reads next. A verb never writes, reads or closes.
/// </summary>
internal readonly record struct Step(Reply? Reply, Phase? Next = null, After After = After.ReadCommand);
