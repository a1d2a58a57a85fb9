<?php
// Submits a message that PHPMailer composes, as the job on standard input says. Answers with one JSON document: what each
// attempt came to, and the octets of the composed message.
require '/usr/share/php/libphp-phpmailer/autoload.php';

use PHPMailer\PHPMailer\PHPMailer;

$job = json_decode(stream_get_contents(STDIN));
$attempts = [];
$sent = '';
foreach ($job->passwords as $password) {
    $mail = new PHPMailer(true);
    $said = [];
    $mail->SMTPDebug = 2;
    $mail->Debugoutput = function ($text) use (&$said) { $said[] = $text; };
    $mail->isSMTP();
    $mail->Host = 'localhost';
    $mail->Port = $job->port;
    $mail->SMTPSecure = $job->way === 'Implicit' ? PHPMailer::ENCRYPTION_SMTPS : PHPMailer::ENCRYPTION_STARTTLS;
    $mail->SMTPOptions = ['ssl' => ['cafile' => $job->ca]];
    $mail->SMTPAuth = true;
    $mail->AuthType = $job->mechanism ?? '';
    $mail->Username = $job->user;
    $mail->Password = $password;
    $mail->CharSet = 'utf-8';
    $mail->Encoding = 'quoted-printable';
    $mail->MessageDate = 'Fri, 20 Nov 2026 10:11:12 +0100';
    $mail->MessageID = "<$job->recipient>";
    $mail->setFrom($job->sender, 'Lisa Example');
    $mail->addAddress($job->recipient);
    $mail->Subject = $job->subject;
    $mail->Body = "Grüße ∀x∈ℝ\r\n.\r\n..\r\n.hidden\r\nFrom here on";
    $mail->addStringAttachment(base64_decode($job->attachment), 'octets.bin', 'base64', 'application/octet-stream');
    try {
        $mail->send();
        $attempts[] = ['response' => implode("\n", preg_grep('/250 2\.0\.0 /', $said))];
        // Its transport ends the last line, an empty one, too.
        $sent = $mail->getSentMIMEMessage() . "\r\n";
    } catch (Exception $e) {
        $attempts[] = ['failure' => $e->getMessage(), 'code' => count(preg_grep('/535 5\.7\.8/', $said)) > 0 ? 535 : 0];
    }
}
echo json_encode(['attempts' => $attempts, 'sent' => base64_encode($sent)]);
