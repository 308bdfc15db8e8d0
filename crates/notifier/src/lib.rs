//! Tells the merchant's services and people what happened: signed webhooks, buses, mail, chat.
